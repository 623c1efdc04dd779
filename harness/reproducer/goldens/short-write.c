/*
 * A delayed write that ends short keeps the reservation of blocks it put nothing into, even
 * after fsync.
 * what was seen
 * 4k-delalloc: delayed allocation, 4096-byte blocks; seen on 6.18.44, buffer_head path
 * pwrite(pos=0, len=4096, readable=0); fsync()
 *
 * cc -o case case.c && sudo ./case
 * Exit status: 0 as it must be, 1 not, 2 it could not be tried.
 * Expected is what a kernel like 6.18 must do.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define must(what) ((what) ? (void)0 : (perror(#what), exit(2)))
#define need(what, lacks) ((what) ? (void)0 : (fprintf(stderr, "This needs %s.\n", lacks), exit(2)))
#define sh(commands) (system(commands) == 0 ? (void)0 : exit(2))
static int wrong;

static void expect(const char *what, long expected, long seen)
{
	if (seen != expected)
		wrong = printf("%s  expected: %ld / seen: %ld\n", what, expected, seen) > 0;
}

/* Blocks that the file system has reserved for delayed allocation. */
static long reserved(void)
{
	FILE *f = popen("cat /sys/fs/ext4/$(basename \"$(findmnt -n -o SOURCE mnt)\")/delayed_allocation_blocks", "r");
	long blocks;

	must(f && fscanf(f, "%ld", &blocks) == 1 && pclose(f) == 0);
	return blocks;
}

int main(void)
{
	char *unreadable = mmap(NULL, 1 << 22, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "root");
	must(mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 && chdir("/tmp") == 0);
	sh(
		"mkdir mnt && n=$(nproc --all) && s=$((16 * n * (n > 16 ? 2 * n : 32) * 4096)) && truncate -s $((s > 268435456 ? s : 268435456)) image && "
		"mkfs.ext4 -F -q -b 4096 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard,hash_seed=2f5c3fa0-5b1e-4c4e-9c55-6ad1d3b7e0a4 image && "
		"(l=$(losetup --find --show image) && { mount -t ext4 -o commit=86400 \"$l\" mnt && s=0 || s=$?; losetup -d \"$l\"; exit \"$s\"; })");
	int fd = open("mnt/file", O_RDWR | O_CREAT, 0600);
	must(fd >= 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) == 0);

	/* 0: pwrite(pos=0, len=4096, readable=0) */
	pwrite(fd, unreadable, 4096, 0);

	/* 1: fsync()   <- shows it */
	fsync(fd);

	/* What must be seen now. */
	expect("reserved", 0, reserved());

	puts(wrong ? "WRONG" : "as it must be");
	return wrong;
}
