/**
 * Functions of the C programs. Each program has those that it calls.
 */
import type { HelperInC } from "../aspects/in-c.ts";
import { DEVICE } from "./file-system.ts";

/** The name of the device as a part of a string of C. */
const DEVICE_WORD = DEVICE.replaceAll('"', String.raw`\"`);

export const CALLED: HelperInC = {
  includes: ["errno.h"],
  text: `static long called(long result)
{
	return result < 0 ? -errno : result;
}`,
};

export const EXPECT: HelperInC = {
  includes: ["stdio.h"],
  text: `static void expect(const char *what, long expected, long seen)
{
	if (seen != expected)
		wrong = printf("%s  expected: %ld / seen: %ld\\n", what, expected, seen) > 0;
}`,
};

export const EXPECT_TEXT: HelperInC = {
  includes: ["stdio.h", "string.h"],
  text: `static void expect_text(const char *what, const char *expected, const char *seen)
{
	if (strcmp(seen, expected) != 0)
		wrong = printf("%s  expected: %s / seen: %s\\n", what, expected, seen) > 0;
}`,
};

export const BUFFER: HelperInC = {
  includes: ["sys/mman.h"],
  text: `/* \`readable\` bytes behind which memory ends. Each 512 of a buffer are another letter. */
static char *buffer(int which, long readable)
{
	enum { SIZE = 4 << 20, BOTH = PROT_READ | PROT_WRITE };
	static char *all[4], *p;

	if (!all[which]) {
		p = all[which] = mmap(NULL, 2 * SIZE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(p != MAP_FAILED && mprotect(p + SIZE, SIZE, PROT_NONE) == 0);
		madvise(p, SIZE, MADV_NOHUGEPAGE);
		for (long i = 0; i < SIZE; i++)
			p[i] = 'A' + (i / 512 + 7 * which) % 26;
	}
	return all[which] + SIZE - readable;
}`,
};

export const SAME: HelperInC = {
  includes: ["stdio.h"],
  text: `/* Whether bytes from \`pos\` on are as they must be: zero where \`expected\` is NULL. */
static void same(const char *seen, long pos, long len, const char *expected)
{
	for (long i = 0; i < len; i++) {
		int must_be = expected ? expected[i] : 0, is = seen[i] & 0xff;

		if (is != must_be) {
			wrong = printf("byte %ld  expected: 0x%02x / seen: 0x%02x\\n", pos + i, must_be, is) > 0;
			return;
		}
	}
}`,
};

export const SAME_IN_FILE: HelperInC = {
  includes: ["stdlib.h"],
  needs: [EXPECT, SAME],
  text: `static void same_in_file(int fd, long pos, long len, const char *expected)
{
	char *seen = malloc(len);

	expect("length of a read", len, pread(fd, seen, len, pos));
	same(seen, pos, len, expected);
	free(seen);
}`,
};

/** It has `BLOCK`, bytes of a block. */
export const MAP: HelperInC = {
  includes: ["linux/fiemap.h", "linux/fs.h", "sys/ioctl.h", "stdio.h", "string.h"],
  text: `/* The blocks of a file that are no holes, as first+count; neighbours of one state are one. */
static char *map(int fd)
{
	enum { MANY = 4096, STATE = FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DELALLOC };
	static struct { struct fiemap head; struct fiemap_extent e[MANY]; } f;
	static char text[1 << 18], *at;

	f.head = (struct fiemap){ .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = MANY };
	must(ioctl(fd, FS_IOC_FIEMAP, &f) == 0);
	at = strcpy(text, "no blocks");
	for (struct fiemap_extent *e = f.e, *end = e + f.head.fm_mapped_extents; e < end;) {
		unsigned long long first = e->fe_logical, next = first;
		unsigned int state = e->fe_flags & STATE;

		for (; e < end && e->fe_logical == next && (e->fe_flags & STATE) == state; e++)
			next += e->fe_length;
		at += sprintf(at, "%s%llu+%llu %s", at == text ? "" : ", ", first / BLOCK, (next - first) / BLOCK,
			state & FIEMAP_EXTENT_UNWRITTEN ? "unwritten" : state ? "delayed" : "written");
	}
	return text;
}`,
};

export const CACHE: HelperInC = {
  includes: ["linux/fiemap.h", "linux/fs.h", "sys/ioctl.h", "stdio.h", "string.h"],
  text: `#define EXT4_IOC_GET_ES_CACHE _IOWR('f', 42, struct fiemap)

/* What the extent status cache says of a block, which may be nothing. */
static const char *cached_as(int fd, long block)
{
	struct { struct fiemap head; struct fiemap_extent e; } f = { .head.fm_length = BLOCK };

	f.head.fm_start = block * BLOCK;
	f.head.fm_extent_count = 1;
	need(ioctl(fd, EXT4_IOC_GET_ES_CACHE, &f) == 0, "EXT4_IOC_GET_ES_CACHE: not before Linux 5.4");
	if (!f.head.fm_mapped_extents || (long)f.e.fe_logical / BLOCK > block)
		return "nothing";
	return f.e.fe_flags & 0x08000000 ? "hole" : f.e.fe_flags & FIEMAP_EXTENT_UNWRITTEN ? "unwritten" :
		f.e.fe_flags & FIEMAP_EXTENT_DELALLOC ? "delayed" : "written";
}

static void expect_cached(int fd, long block, const char *state)
{
	const char *seen = cached_as(fd, block);

	if (strcmp(seen, state) == 0 || (strcmp(seen, "nothing") == 0 && strcmp(state, "delayed")))
		return;
	wrong = printf("extent status cache, block %ld  expected: %s / seen: %s\\n", block, state, seen) > 0;
}`,
};

export const BLOCKS: HelperInC = {
  includes: ["stdio.h", "sys/stat.h"],
  text: `/* In units of 512 bytes; \`tree\` blocks of the extent tree may come on top. */
static void expect_blocks(long expected, long seen, int tree)
{
	long more = seen - expected;

	if (more < 0 || more % (BLOCK / 512) || more > tree * (BLOCK / 512))
		wrong = printf("st_blocks  expected: %ld / seen: %ld\\n", expected, seen) > 0;
}`,
};

export const STAT: HelperInC = {
  includes: ["sys/stat.h"],
  text: `static struct stat status(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st;
}`,
};

export const RESERVED: HelperInC = {
  includes: ["stdio.h"],
  text: `/* Blocks that the file system has reserved for delayed allocation. */
static long reserved(void)
{
	FILE *f = popen("cat /sys/fs/ext4/${DEVICE_WORD}/delayed_allocation_blocks", "r");
	long blocks;

	must(f && fscanf(f, "%ld", &blocks) == 1 && pclose(f) == 0);
	return blocks;
}`,
};

export const PAGES: HelperInC = {
  includes: ["stdio.h", "sys/syscall.h"],
  text: `/* Of the page cache of a file, by cachestat(2), since 6.5. */
static char *pages(int fd)
{
	static char text[64];
	unsigned long long range[2] = {0}, count[5];

	need(syscall(451, fd, range, count, 0) == 0, "cachestat(2): not before Linux 6.5");
	sprintf(text, "%llu cached, %llu dirty", count[0], count[1]);
	return text;
}`,
};

export const LOG: HelperInC = {
  includes: ["ctype.h", "fcntl.h", "stdio.h", "string.h"],
  text: `static int kernel_log;
static char device[64];

/* What the kernel says of the device from now on. */
static void listen_to_kernel(void)
{
	FILE *f = popen("echo ${DEVICE_WORD}", "r");

	must(f && fscanf(f, "%63s", device) == 1 && pclose(f) == 0);
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	must(kernel_log >= 0 && lseek(kernel_log, 0, SEEK_END) == 0);
}

static void expect_silence(void)
{
	char record[8193];
	long length;

	while ((length = called(read(kernel_log, record, 8192))) > 0) {
		record[length] = 0;
		int alarm = strstr(record, "WARNING:") || strstr(record, "BUG:");
		const char *name = strstr(record, device);
		int named = name && !isdigit((unsigned char)name[strlen(device)]);

		if (!alarm && (!named || (atoi(record) & 7) > 4))
			continue;
		strtok(record, "\\n");
		wrong = printf("kernel log  expected: nothing / seen: %s\\n", strchr(record, ';') + 1) > 0;
	}
	/* Not where the log was overwritten before it was read. */
	must(length == -EAGAIN);
}`,
};
