; Folders of versions: which one a setup fills, the switch, and taking away the ones that nobody uses any more.

; A name for the new version's folder that is not taken: a repair lies beside what it repairs.
Function ChooseFolder
  StrCpy $New "${APP}"
  StrCpy $0 1
  ${While} ${FileExists} "$INSTDIR\$New\*.*"
    IntOp $0 $0 + 1
    StrCpy $New "${APP}_$0"
  ${EndWhile}
  StrCpy $Staging "$INSTDIR\new-${APP}"
FunctionEnd

; Moves `$1` over `$2` in one step and to the disk (MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH), `$3` tries half a
; second apart: an antivirus that looks at a new file lets go of it again. Sets the error flag.
Function MoveOver
  ${Do}
    ClearErrors
    System::Call 'kernel32::MoveFileExW(w r1, w r2, i 9) i .r0'
    ${If} $0 <> 0
      Return
    ${EndIf}
    IntOp $3 $3 - 1
    ${If} $3 <= 0
      ${Break}
    ${EndIf}
    Sleep 500
  ${Loop}
  SetErrors
FunctionEnd

!macro LayProgram NAME
  ClearErrors
  File "/oname=$INSTDIR\${NAME}.new" "${PROGRAMS}/${NAME}"
  IfErrors failed
  StrCpy $1 "$INSTDIR\${NAME}.new"
  StrCpy $2 "$INSTDIR\${NAME}"
  StrCpy $3 1
  Call MoveOver
  ${If} ${Errors}
    ; it is running: aside with it, the next setup removes it
    Delete "$INSTDIR\${NAME}.old"
    Rename "$INSTDIR\${NAME}" "$INSTDIR\${NAME}.old"
    StrCpy $3 ${TRIES}
    Call MoveOver
    IfErrors failed
  ${EndIf}
!macroend

Function Switch
  ClearErrors
  FileOpen $0 "$INSTDIR\current.new" w
  ${IfNot} ${Errors}
    FileWrite $0 "$New"
    FileClose $0
    StrCpy $1 "$INSTDIR\current.new"
    StrCpy $2 "$INSTDIR\current"
    StrCpy $3 ${TRIES}
    Call MoveOver
  ${EndIf}
FunctionEnd

; In setup and uninstaller.
!macro FolderFunctions PREFIX

; `$7` becomes the name of the folder `$9` when a program runs from it: its Python cannot be opened for writing then.
Function ${PREFIX}InUse
  Push $1
  ${If} ${FileExists} "$INSTDIR\$9\python\python313.dll"
    ClearErrors
    FileOpen $1 "$INSTDIR\$9\python\python313.dll" a
    ${If} ${Errors}
      StrCpy $7 $9
    ${Else}
      FileClose $1
    ${EndIf}
  ${EndIf}
  Pop $1
FunctionEnd

; Removes the folder of a version `$9` in $INSTDIR by its own list, unless it is in use; what stands in no list stays.
Function ${PREFIX}RemoveVersion
  Push $0
  Push $1
  StrCpy $7 ""
  Call ${PREFIX}InUse
  ${If} $7 != ""
  ${OrIfNot} ${FileExists} "$INSTDIR\$9\remove.lst"
    Goto end
  ${EndIf}
  StrCpy $1 "$INSTDIR\$9"
  StrCpy $0 $9 4
  ${If} $0 == "app-"
    ; a folder with open files cannot be renamed
    StrCpy $1 "$INSTDIR\old-$9"
    ClearErrors
    Rename "$INSTDIR\$9" "$1"
    IfErrors end
  ${EndIf}
  FileOpen $0 "$1\remove.lst" r
  FileReadUTF16LE $0 $2
  ${DoUntil} $2 == ""
    Call ${PREFIX}RemoveLine
    FileReadUTF16LE $0 $2
  ${Loop}
  FileClose $0
  Delete "$1\remove.lst"
  RMDir "$1"
end:
  ClearErrors
  Pop $1
  Pop $0
FunctionEnd

; One line `$2` of a list, below `$1`; a folder ends with a backslash.
Function ${PREFIX}RemoveLine
  Push $3
  ${Do}
    StrCpy $3 $2 1 -1
    ${If} $3 == "$\n"
    ${OrIf} $3 == "$\r"
      StrCpy $2 $2 -1
    ${Else}
      ${Break}
    ${EndIf}
  ${Loop}
  ${If} $3 == "\"
    RMDir "$1\$2"
  ${ElseIf} $2 != "remove.lst"
    Delete "$1\$2"
  ${EndIf}
  Pop $3
FunctionEnd
!macroend
!insertmacro FolderFunctions ""
!insertmacro FolderFunctions "un."

; What earlier setups left: interrupted ones (new-…), replaced versions (app-…, old-…) unless somebody runs them.
Function RemoveUnused
  StrCpy $8 ""
  ${If} ${FileExists} "$INSTDIR\current"
    ClearErrors
    FileOpen $0 "$INSTDIR\current" r
    ${If} ${Errors}
      Return ; somebody holds it: which version is in use is not known
    ${EndIf}
    FileRead $0 $8
    FileClose $0
    ${If} $8 == ""
      Return
    ${EndIf}
  ${EndIf}
  FindFirst $0 $9 "$INSTDIR\*-*"
  ${DoWhile} $9 != ""
    StrCpy $1 $9 4
    ${If} $1 == "app-"
    ${AndIf} $9 != $8
      Call RemoveVersion
    ${ElseIf} $1 == "old-"
    ${OrIf} $1 == "new-"
      Call RemoveVersion
    ${EndIf}
    FindNext $0 $9
  ${Loop}
  FindClose $0
  Delete "$INSTDIR\*.exe.old"
  Delete "$INSTDIR\*.exe.new"
  Delete "$INSTDIR\current.new"
  ClearErrors
FunctionEnd
