/* Holds a file as an antivirus does, nobody else may open it: hold.exe FILE SECONDS. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

int wmain(int count, wchar_t **given)
{
    HANDLE file = CreateFileW(given[1], GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (count != 3 || file == INVALID_HANDLE_VALUE)
        return 1;
    puts("held");
    fflush(stdout);
    Sleep((DWORD)_wtoi(given[2]) * 1000);
    return 0;
}
