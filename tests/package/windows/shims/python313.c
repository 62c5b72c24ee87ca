/* Stands for Python in small setups: tells what it was started with; `--wait FILE` stays until the file is there. */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

static void tell(const wchar_t *text)
{
    char narrow[8192];
    DWORD written;
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, sizeof narrow - 1, NULL, NULL);
    narrow[size - 1] = '\n';
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), narrow, (DWORD)size, &written, NULL);
}

__declspec(dllexport) int Py_Main(int count, wchar_t **given)
{
    for (int i = 0; i < count; i++)
        tell(given[i]);
    for (int i = 0; i + 1 < count; i++)
        if (wcscmp(given[i], L"--wait") == 0)
            while (GetFileAttributesW(given[i + 1]) == INVALID_FILE_ATTRIBUTES)
                Sleep(50);
    return 42;
}
