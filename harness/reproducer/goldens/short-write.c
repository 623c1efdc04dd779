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
#include <sys/stat.h>
#include <unistd.h>

#define must(what) ((what) ? (void)0 : (perror(#what), exit(2)))

static char dir[] = "/tmp/ext4-XXXXXX";
static int wrong;

static void clean_up(void)
{
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}

/*
 * `readable` bytes behind which memory ends: what is copied from there faults. Each 512 bytes of
 * the four buffers are another letter.
 */
static char *buffer(int which, long readable)
{
	static char *buffers[4];
	enum { SIZE = 4 << 20 };

	if (!buffers[which]) {
		char *p = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(p != MAP_FAILED && mprotect(p + SIZE, SIZE, PROT_NONE) == 0);
		madvise(p, SIZE, MADV_NOHUGEPAGE);
		for (long i = 0; i < SIZE; i++)
			p[i] = 'A' + (i / 512 + 7 * which) % 26;
		buffers[which] = p;
	}
	return buffers[which] + SIZE - readable;
}

static void expect(const char *what, long expected, long seen)
{
	if (seen == expected)
		return;
	printf("%s  expected: %ld / seen: %ld\n", what, expected, seen);
	wrong = 1;
}

/* Blocks that the file system has reserved for delayed allocation. */
static long reserved(void)
{
	FILE *f = popen("cat /sys/fs/ext4/$(basename \"$(findmnt -n -o SOURCE mnt)\")/delayed_allocation_blocks", "r");
	long blocks;

	must(f && fscanf(f, "%ld", &blocks) == 1);
	pclose(f);
	return blocks;
}

int main(void)
{
	int fd;

	must(unshare(CLONE_NEWNS) == 0 && mkdtemp(dir) && atexit(clean_up) == 0);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount("tmpfs", dir, "tmpfs", 0, NULL) == 0);
	must(chdir(dir) == 0 && mkdir("mnt", 0700) == 0);
	must(system(
		"n=$(nproc --all) && s=$((16 * n * (n > 16 ? 2 * n : 32) * 4096)) && truncate -s $((s > 268435456 ? s : 268435456)) image && "
		"mkfs.ext4 -F -q -b 4096 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard,hash_seed=2f5c3fa0-5b1e-4c4e-9c55-6ad1d3b7e0a4 image && "
		"(l=$(losetup --find --show image) && { mount -t ext4 -o commit=86400 \"$l\" mnt && s=0 || s=$?; losetup -d \"$l\"; exit $s; })") == 0);
	fd = open("mnt/file", O_RDWR | O_CREAT, 0600);
	must(fd >= 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) == 0);

	/* 0: pwrite(pos=0, len=4096, readable=0) */
	pwrite(fd, buffer(0, 0), 4096, 0);

	/* 1: fsync()   <- shows it */
	fsync(fd);

	/* What must be seen now. */
	expect("reserved", 0, reserved());

	puts(wrong ? "WRONG" : "as it must be");
	return wrong;
}
