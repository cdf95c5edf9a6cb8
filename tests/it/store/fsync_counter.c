/* Writes a line into the file named by FSYNC_COUNTER for each fsync and fdatasync of the process it is loaded into
 * (LD_PRELOAD), then lets the call go through to the kernel. Used by fsync.rs alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void note(int descriptor) {
    const char *counter = getenv("FSYNC_COUNTER");
    if (!counter) return;
    char link[64], line[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, line, sizeof line - 1);
    if (length < 0) length = 0;
    line[length] = '\n';
    int file = open(counter, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0) abort();
    if (write(file, line, (size_t)length + 1) != length + 1) abort();
    close(file);
}

int fsync(int descriptor) {
    note(descriptor);
    return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor) {
    note(descriptor);
    return (int)syscall(SYS_fdatasync, descriptor);
}
