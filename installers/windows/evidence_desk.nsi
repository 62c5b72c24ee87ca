; The setup of Evidence Desk. Built by scripts/package_windows, which gives every ${...} of the first block.
;
; A new version is laid beside the old one, in a folder of its own; replacing the file `current` is the one step that
; switches. Whatever ends a setup before that leaves the old version whole, whatever ends it after it the new one.
;
; Silent: setup.exe /S [/CurrentUser | /AllUsers] [/D=FOLDER]     (/D last and without quotes)
; Exit status: 0 done, 1 cancelled, 2 not done (disk, rights), 3 a newer version is installed, 4 Windows too old,
; 5 folder's path too long, 6 a file is in use, 7 another setup is running.

Unicode true
!ifdef STORE
  SetCompress off
!else ifdef FAST
  SetCompressor zlib
!else
  SetCompressor /SOLID /FINAL lzma
  SetCompressorDictSize 64
!endif
Target amd64-unicode
ManifestDPIAware true
ManifestLongPathAware true
ManifestSupportedOS Win10
CRCCheck force
AllowSkipFiles off
ShowInstDetails nevershow
ShowUninstDetails nevershow
SetDateSave on
SetOverwrite on
BrandingText "Evidence Desk ${VERSION}"
Name "$(product)"
OutFile "${OUT}"
!ifdef SIGN
  !uninstfinalize '${SIGN} "%1"' = 0
!endif

!define KEY "EvidenceDesk"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${KEY}"
!define OWN_KEY "Software\${KEY}"
!define LEAST_BUILD 18362
!define LONGEST_PATH 259
!define TRIES 40

!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR "EvidenceDesk"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${OWN_KEY}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "Folder"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${OWN_KEY}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "Folder"
!define MULTIUSER_INSTALLMODE_DEFAULT_CURRENTUSER

!include LogicLib.nsh
!include WinVer.nsh
!include x64.nsh
!include WordFunc.nsh
!include FileFunc.nsh
!include MultiUser.nsh
!include MUI2.nsh

!define MUI_ICON "${HERE}/evidence-desk.ico"
!define MUI_UNICON "${HERE}/evidence-desk.ico"
!define MUI_ABORTWARNING
!define MUI_LANGDLL_REGISTRY_ROOT SHCTX
!define MUI_LANGDLL_REGISTRY_KEY "${OWN_KEY}"
!define MUI_LANGDLL_REGISTRY_VALUENAME "Language"
!define MUI_FINISHPAGE_RUN "$INSTDIR\Evidence Desk.exe"
!define MUI_FINISHPAGE_NOREBOOTSUPPORT

!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${LICENSE_FILE}"
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!define MUI_PAGE_CUSTOMFUNCTION_LEAVE CheckFolder
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro MUI_LANGUAGE "English"
!include "${HERE}/texts.nsh"
!insertmacro MUI_RESERVEFILE_LANGDLL

VIProductVersion "${NUMBERS}"
VIAddVersionKey /LANG=${LANG_SIMPCHINESE} "ProductName" "证据台 Evidence Desk"
VIAddVersionKey /LANG=${LANG_SIMPCHINESE} "FileDescription" "证据台 安装程序 / setup"
VIAddVersionKey /LANG=${LANG_SIMPCHINESE} "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=${LANG_SIMPCHINESE} "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=${LANG_SIMPCHINESE} "LegalCopyright" "Apache-2.0"
VIAddVersionKey /LANG=${LANG_ENGLISH} "ProductName" "Evidence Desk"
VIAddVersionKey /LANG=${LANG_ENGLISH} "FileDescription" "Evidence Desk setup"
VIAddVersionKey /LANG=${LANG_ENGLISH} "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=${LANG_ENGLISH} "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=${LANG_ENGLISH} "LegalCopyright" "Apache-2.0"

Var Staging
Var New

!include "${HERE}/folders.nsh"
!include "${HERE}/associations.nsh"

!macro Refuse STATUS TEXT
  MessageBox MB_OK|MB_ICONSTOP "${TEXT}" /SD IDOK
  SetErrorLevel ${STATUS}
  Quit
!macroend

; One setup or uninstallation at a time, of all users of the machine.
!macro OnlyOne
  System::Call 'kernel32::CreateMutexW(p 0, i 0, w "Global\EvidenceDesk.setup") p .r1 ?e'
  Pop $0
  ${If} $0 = 183 ; it is there
  ${OrIf} $0 = 5 ; and another user's
    !insertmacro Refuse 7 "$(other_setup)"
  ${EndIf}
!macroend

Function .onInit
  ${IfNot} ${RunningX64}
    !insertmacro Refuse 4 "$(old_windows)"
  ${EndIf}
  ${IfNot} ${AtLeastBuild} ${LEAST_BUILD}
    !insertmacro Refuse 4 "$(old_windows)"
  ${EndIf}
  SetRegView 64
  !insertmacro OnlyOne
  StrCpy $New $INSTDIR ; of /D=, which the next line would replace
  !insertmacro MULTIUSER_INIT
  ${If} $New != ""
    StrCpy $INSTDIR $New
  ${EndIf}
  !insertmacro MUI_LANGDLL_DISPLAY
  ${If} ${Silent}
    Call CheckFolder
  ${EndIf}
FunctionEnd

Function un.onInit
  SetRegView 64
  !insertmacro OnlyOne
  !insertmacro MULTIUSER_UNINIT
  !insertmacro MUI_UNGETLANGUAGE
FunctionEnd

; Newer versions are never replaced by older ones: an older program could not open a vault that a newer one migrated.
Function CheckFolder
  ReadRegStr $0 SHCTX "${OWN_KEY}" "Version"
  ${If} $0 != ""
    ${VersionCompare} "$0" "${VERSION}" $1
    ${If} $1 = 1
      MessageBox MB_OK|MB_ICONSTOP "$(newer_installed)" /SD IDOK
      SetErrorLevel 3
      Quit
    ${EndIf}
  ${EndIf}
  StrLen $1 "$INSTDIR"
  IntOp $1 $1 + ${LONGEST}
  ${If} $1 > ${LONGEST_PATH}
    MessageBox MB_OK|MB_ICONSTOP "$(long_folder)" /SD IDOK
    ${If} ${Silent}
      SetErrorLevel 5
      Quit
    ${EndIf}
    Abort
  ${EndIf}
FunctionEnd

Function .onInstFailed
  SetErrorLevel 2
FunctionEnd

Section "-program"
  SectionIn RO
  AddSize ${KILOBYTES}
  CreateDirectory "$INSTDIR"
  Call RemoveUnused
  Call ChooseFolder
  ; 1. everything into a folder that nothing looks at yet
  ClearErrors
  !include "${LIST}"
  SetOutPath "$INSTDIR"
  ${If} ${Errors}
    Goto failed
  ${EndIf}
  StrCpy $1 "$Staging"
  StrCpy $2 "$INSTDIR\$New"
  StrCpy $3 ${TRIES}
  Call MoveOver
  IfErrors failed
  ; 2. the programs: each by a rename, so that a running one does not stand in the way
  !insertmacro LayProgram "Evidence Desk.exe"
  !insertmacro LayProgram "evidence-desk.exe"
  !insertmacro LayProgram "evidence-verify.exe"
  !insertmacro LayProgram "evidence-tsa.exe"
  ; 3. the switch
  Call Switch
  IfErrors failed
  Call Register
  Call RemoveUnused
  Goto done
failed:
  MessageBox MB_OK|MB_ICONSTOP "$(not_installed)" /SD IDOK
  SetErrorLevel 2
  Abort
done:
SectionEnd

!include "${HERE}/uninstall.nsh"
