; What Windows knows of an installation: the list of programs, Start menu, kinds of files, verbs of the context menu.

!define CLASSES "Software\Classes"
!define PROGRAM '"$INSTDIR\Evidence Desk.exe"'

!macro Verb PLACE NAME TEXT COMMAND
  WriteRegStr SHCTX "${CLASSES}\${PLACE}\shell\EvidenceDesk.${NAME}" "" "${TEXT}"
  WriteRegStr SHCTX "${CLASSES}\${PLACE}\shell\EvidenceDesk.${NAME}" "Icon" '${PROGRAM},0'
  WriteRegStr SHCTX "${CLASSES}\${PLACE}\shell\EvidenceDesk.${NAME}\command" "" '${COMMAND}'
!macroend

!macro Shortcuts NAME
  CreateDirectory "$SMPROGRAMS\${NAME}"
  CreateShortcut "$SMPROGRAMS\${NAME}\${NAME}.lnk" "$INSTDIR\Evidence Desk.exe"
!macroend

!macro NoShortcuts NAME
  Delete "$SMPROGRAMS\${NAME}\${NAME}.lnk"
  RMDir "$SMPROGRAMS\${NAME}"
!macroend

Function Register
  File "/oname=$INSTDIR\evidence-desk.ico" "${HERE}/evidence-desk.ico"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr SHCTX "${OWN_KEY}" "Folder" "$INSTDIR"
  WriteRegStr SHCTX "${OWN_KEY}" "Version" "${VERSION}"
  WriteRegStr SHCTX "${OWN_KEY}" "Language" "$LANGUAGE"

  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "$(product)"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\evidence-desk.ico"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "Evidence Desk"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${KILOBYTES}
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1

  !insertmacro NoShortcuts "$(product_other)"
  !insertmacro Shortcuts "$(product)"

  WriteRegStr SHCTX "${CLASSES}\EvidenceDesk.Package" "" "$(kind_package)"
  WriteRegStr SHCTX "${CLASSES}\EvidenceDesk.Package\DefaultIcon" "" "$INSTDIR\evidence-desk.ico"
  WriteRegStr SHCTX "${CLASSES}\EvidenceDesk.Package\shell\open\command" "" '${PROGRAM} --verify "%1"'
  WriteRegStr SHCTX "${CLASSES}\.asice\OpenWithProgids" "EvidenceDesk.Package" ""
  ReadRegStr $0 SHCTX "${CLASSES}\.asice" ""
  ${If} $0 == ""
    WriteRegStr SHCTX "${CLASSES}\.asice" "" "EvidenceDesk.Package"
  ${EndIf}
  !insertmacro Verb "SystemFileAssociations\.pdf" "Verify" "$(verb_verify)" '${PROGRAM} --verify "%1"'
  !insertmacro Verb "SystemFileAssociations\.asice" "Verify" "$(verb_verify)" '${PROGRAM} --verify "%1"'
  !insertmacro Verb "*" "Seal" "$(verb_seal)" '${PROGRAM} --seal "%1"'
  !insertmacro Verb "Directory" "Seal" "$(verb_seal)" '${PROGRAM} --seal "%1"'
  Call Tell
FunctionEnd

!macro TellFunction PREFIX
Function ${PREFIX}Tell
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
FunctionEnd
!macroend
!insertmacro TellFunction ""
!insertmacro TellFunction "un."

!macro NoVerb PLACE NAME
  DeleteRegKey SHCTX "${CLASSES}\${PLACE}\shell\EvidenceDesk.${NAME}"
!macroend

; Only what is ours: another program's place in the same keys stays.
Function un.Register
  !insertmacro NoVerb "SystemFileAssociations\.pdf" "Verify"
  !insertmacro NoVerb "SystemFileAssociations\.asice" "Verify"
  !insertmacro NoVerb "*" "Seal"
  !insertmacro NoVerb "Directory" "Seal"
  DeleteRegKey /ifempty SHCTX "${CLASSES}\SystemFileAssociations\.asice\shell"
  DeleteRegKey /ifempty SHCTX "${CLASSES}\SystemFileAssociations\.asice"
  ReadRegStr $0 SHCTX "${CLASSES}\.asice" ""
  ${If} $0 == "EvidenceDesk.Package"
    DeleteRegValue SHCTX "${CLASSES}\.asice" ""
  ${EndIf}
  DeleteRegValue SHCTX "${CLASSES}\.asice\OpenWithProgids" "EvidenceDesk.Package"
  DeleteRegKey /ifempty SHCTX "${CLASSES}\.asice\OpenWithProgids"
  DeleteRegKey /ifempty SHCTX "${CLASSES}\.asice"
  DeleteRegKey SHCTX "${CLASSES}\EvidenceDesk.Package"
  !insertmacro NoShortcuts "$(product)"
  !insertmacro NoShortcuts "$(product_other)"
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
  DeleteRegKey SHCTX "${OWN_KEY}"
  Call un.Tell
FunctionEnd
