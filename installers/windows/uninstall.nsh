; Removes exactly what setups laid down. Vaults lie where people put them and are no part of any list.

Section "un.program"
again:
  StrCpy $7 ""
  FindFirst $0 $9 "$INSTDIR\app-*"
  ${DoWhile} $9 != ""
    Call un.InUse
    FindNext $0 $9
  ${Loop}
  FindClose $0
  ${If} $7 != ""
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(in_use)" /SD IDCANCEL IDRETRY again
    SetErrorLevel 6
    Quit
  ${EndIf}
  ; nobody starts it from here on
  Delete "$INSTDIR\current"
  Delete "$INSTDIR\Evidence Desk.exe"
  Delete "$INSTDIR\evidence-desk.exe"
  Delete "$INSTDIR\evidence-verify.exe"
  Delete "$INSTDIR\evidence-tsa.exe"
  Delete "$INSTDIR\*.exe.old"
  Delete "$INSTDIR\*.exe.new"
  Delete "$INSTDIR\current.new"
  FindFirst $0 $9 "$INSTDIR\*-*"
  ${DoWhile} $9 != ""
    StrCpy $1 $9 4
    ${If} $1 == "app-"
    ${OrIf} $1 == "old-"
    ${OrIf} $1 == "new-"
      Call un.RemoveVersion
    ${EndIf}
    FindNext $0 $9
  ${Loop}
  FindClose $0
  Call un.Register
  Call un.Settings
  Delete "$INSTDIR\evidence-desk.ico"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  ${IfNot} ${Silent}
    MessageBox MB_OK|MB_ICONINFORMATION "$(vaults_stay)" /SD IDOK
  ${EndIf}
SectionEnd

; What the window keeps of this person, unless the program is installed a second time. The default folder of vaults lies in the
; same place, so only files are named here, and the folder goes when nothing is in it.
Function un.Settings
  ReadRegStr $0 HKCU "${OWN_KEY}" "Version"
  ReadRegStr $1 HKLM "${OWN_KEY}" "Version"
  ${If} "$0$1" == ""
    SetShellVarContext current
    Delete "$LOCALAPPDATA\evidence-desk\desktop.json"
    Delete "$LOCALAPPDATA\evidence-desk\desktop.log"
    Delete "$LOCALAPPDATA\evidence-desk\desktop.log.?"
    Delete "$LOCALAPPDATA\evidence-desk\desktop.lock"
    RMDir "$LOCALAPPDATA\evidence-desk"
    ${If} $MultiUser.InstallMode == "AllUsers"
      SetShellVarContext all
    ${EndIf}
  ${EndIf}
FunctionEnd
