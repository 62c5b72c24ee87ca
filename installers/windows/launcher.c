/* A program of Evidence Desk on Windows: loads the embedded Python beside it and runs start.py with this program's name.
 *
 * The folder of the program holds `current`, one line with the name of the folder of the version in use. A setup lays a
 * new version beside the old one and then replaces `current`, so there is always one whole version. Processes that a
 * running program starts stay with its version: EVIDENCE_DESK_RUNNING names it as long as that folder is there.
 */
#ifndef UNICODE
#define UNICODE
#endif
#define _WIN32_WINNT 0x0A00
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#ifndef PROGRAM
#error "define PROGRAM, the name in evidence_desk.launch.PROGRAMS"
#endif
#define WIDE2(text) L##text
#define WIDE(text) WIDE2(text)
#define LONGEST 32768
#define NAME_LENGTH 64
#define RUNNING L"EVIDENCE_DESK_RUNNING"
#define BROKEN 70

static wchar_t folder[LONGEST], path[LONGEST], version[NAME_LENGTH];

/* Tells what is missing; a program without a console shows a box. */
static int fail(const wchar_t *what)
{
    static wchar_t text[LONGEST + 512];
    _snwprintf(text, LONGEST + 511,
               L"\x8BC1\x636E\x53F0\x7684\x5B89\x88C5\x4E0D\x5B8C\x6574\xFF0C\x8BF7\x91CD\x65B0\x8FD0\x884C\x5B89\x88C5\x7A0B\x5E8F\x4FEE\x590D\x3002\n"
               L"The installation of Evidence Desk is incomplete; run the setup again to repair it.\n\n%ls (%lu)",
               what, GetLastError());
#ifdef WINDOWED
    MessageBoxW(NULL, text, L"Evidence Desk", MB_OK | MB_ICONERROR | MB_SETFOREGROUND);
#else
    char narrow[4096];
    DWORD written;
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, sizeof narrow - 2, NULL, NULL);
    if (size > 0) {
        narrow[size - 1] = '\n';
        WriteFile(GetStdHandle(STD_ERROR_HANDLE), narrow, (DWORD)size, &written, NULL);
    }
#endif
    return BROKEN;
}

/* A plain name of ours: no separator, no drive, nothing above. */
static int is_version(const wchar_t *name)
{
    if (wcsncmp(name, L"app-", 4) != 0 || wcsstr(name, L"..") != NULL || wcslen(name) >= NAME_LENGTH)
        return 0;
    for (const wchar_t *at = name; *at; at++)
        if (!((*at >= L'a' && *at <= L'z') || (*at >= L'A' && *at <= L'Z') || (*at >= L'0' && *at <= L'9')
              || *at == L'.' || *at == L'-' || *at == L'_' || *at == L'+'))
            return 0;
    return 1;
}

static int join(const wchar_t *name, const wchar_t *rest)
{
    return _snwprintf(path, LONGEST - 1, L"%ls\\%ls\\%ls", folder, name, rest) > 0;
}

static int inherited_version(void)
{
    DWORD length = GetEnvironmentVariableW(RUNNING, version, NAME_LENGTH);
    return length > 0 && length < NAME_LENGTH && is_version(version) && join(version, L"start.py")
           && GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static int current_version(void)
{
    char text[NAME_LENGTH];
    DWORD size = 0;
    _snwprintf(path, LONGEST - 1, L"%ls\\current", folder);
    HANDLE file;
    for (int tries = 0;; tries++) {
        file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           OPEN_EXISTING, 0, NULL);
        if (file != INVALID_HANDLE_VALUE)
            break;
        /* An antivirus looks at it: that passes. */
        if (GetLastError() != ERROR_SHARING_VIOLATION || tries == 30)
            return 0;
        Sleep(100);
    }
    BOOL read = ReadFile(file, text, sizeof text - 1, &size, NULL);
    CloseHandle(file);
    if (!read)
        return 0;
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    for (DWORD i = 0; i < size; i++)
        version[i] = (unsigned char)text[i];
    version[size] = 0;
    return is_version(version);
}

typedef int (*Main)(int, wchar_t **);

static int run(int count, wchar_t **given)
{
    DWORD length = GetModuleFileNameW(NULL, folder, LONGEST);
    if (length == 0 || length >= LONGEST)
        return fail(L"GetModuleFileName");
    wchar_t *last = wcsrchr(folder, L'\\');
    if (last == NULL)
        return fail(folder);
    *last = 0;
    if (!inherited_version() && !current_version())
        return fail(L"current");
    SetEnvironmentVariableW(RUNNING, version);

    /* Never the working folder, where evidence of strangers may lie. */
    SetDllDirectoryW(L"");
    /* Modules of other projects find the C and C++ runtimes beside Python, as if this were python.exe. */
    join(version, L"python");
    if (AddDllDirectory(path) == NULL)
        return fail(path);
    join(version, L"python\\python313.dll");
    HMODULE python = LoadLibraryExW(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (python == NULL)
        return fail(path);
    Main run_python = (Main)(void *)GetProcAddress(python, "Py_Main");
    if (run_python == NULL)
        return fail(L"Py_Main");

    join(version, L"start.py");
    wchar_t *fixed[] = {given[0], L"-B", L"-X", L"utf8", path, WIDE(PROGRAM)};
    int before = sizeof fixed / sizeof *fixed;
    wchar_t **arguments = calloc((size_t)(before + count), sizeof *arguments);
    if (arguments == NULL)
        return fail(L"memory");
    for (int i = 0; i < before; i++)
        arguments[i] = fixed[i];
    for (int i = 1; i < count; i++)
        arguments[before + i - 1] = given[i];
    return run_python(before + count - 1, arguments);
}

#ifdef WINDOWED
int WINAPI wWinMain(HINSTANCE instance, HINSTANCE previous, wchar_t *line, int show)
{
    (void)instance, (void)previous, (void)line, (void)show;
    return run(__argc, __wargv);
}
#else
int wmain(int count, wchar_t **given)
{
    return run(count, given);
}
#endif
