/* A learner's program that does what its first argument says; tests/test_sandbox_program.py. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *what, int result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "DONE");
    fflush(stdout);
}

static void fill(const char *path, int megabytes) {
    static char block[1 << 20];
    FILE *file = fopen(path, "w");
    memset(block, 'x', sizeof block);
    for (int k = 0; file && k < megabytes; k++) fwrite(block, 1, sizeof block, file);
    if (file) fclose(file);
}

int main(int count, char **words) {
    const char *mode = count > 1 ? words[1] : "";
    if (!strcmp(mode, "segfault")) raise(SIGSEGV);
    if (!strcmp(mode, "spin")) for (;;) {}
    if (!strcmp(mode, "sleep")) sleep(1000);
    if (!strcmp(mode, "forks")) {
        for (int k = 0; k < 4000; k++) if (fork() < 0) break;
        sleep(1000);
    }
    if (!strcmp(mode, "memory")) for (;;) {
        char *part = malloc(1 << 20);
        if (!part) abort();
        memset(part, 1, 1 << 20);
        usleep(500);
    }
    if (!strcmp(mode, "disk")) for (int k = 0;; k++) {
        char name[20];
        sprintf(name, "part%d", k);
        fill(name, 4);
        usleep(1000);
    }
    if (!strcmp(mode, "one-file")) fill("big", 1000);
    if (!strcmp(mode, "output")) for (;;) puts("and on and on");
    if (!strcmp(mode, "open")) for (int k = 2; k < count; k++) tell(words[k], open(words[k], O_RDONLY));
    if (!strcmp(mode, "write")) for (int k = 2; k < count; k++)
        tell(words[k], open(words[k], O_WRONLY | O_CREAT, 0600));
    if (!strcmp(mode, "socket")) {
        tell("internet", socket(AF_INET, SOCK_STREAM, 0));
        tell("datagram", socket(AF_INET6, SOCK_DGRAM, 0));
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        strncpy(name.sun_path, words[2], sizeof name.sun_path - 1);
        tell("local", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name));
    }
    if (!strcmp(mode, "signal")) tell("signal", kill(atoi(words[2]), SIGKILL));
    if (!strcmp(mode, "daemon")) {
        if (fork() == 0) {
            setsid();
            if (fork() == 0) execl("/bin/sleep", "sleep", words[2], NULL);
            _exit(0);
        }
        usleep(200000);
    }
    if (!strcmp(mode, "links")) {
        fill("plain", 1);
        symlink("/etc/passwd", "link");
        link("plain", "second");
        mkdir("folder", 0700);
        mkfifo("pipe", 0600);
        FILE *file = fopen("good", "w");
        fputs("good", file);
        fclose(file);
    }
    if (!strcmp(mode, "streams")) { /* trade the file behind standard output for a link */
        char path[4096];
        ssize_t size = readlink("/proc/self/fd/1", path, sizeof path - 1);
        path[size > 0 ? size : 0] = 0;
        unlink(path);
        tell("link", symlink("/etc/passwd", path));
    }
    if (!strcmp(mode, "nest")) for (int k = 0; k < 1500; k++) {
        if (mkdir("d", 0700) || chdir("d")) break;
    }
    if (!strcmp(mode, "closed")) {
        mkdir("closed", 0700);
        fill("closed/file", 1);
        chmod("closed", 0);
    }
    return 0;
}
