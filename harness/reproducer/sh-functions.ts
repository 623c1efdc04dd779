/**
 * Functions of the scripts. Each script has those that it calls.
 */
import type { Ground } from "./sh-ground.ts";

const bytes = `# So many bytes that are this letter.
bytes() { head -c "$2" /dev/zero | tr '\\0' "$1"; }`;

const silent = `# xfs_io says what failed, and may end with status 0.
silent() {
	said=$("$@" 2>&1) && [ -z "$said" ] && return
	echo "$said" >&2
	return 1
}`;

const expect = ({ noted }: Ground): string => `expect() {
	[ "$2" = "$3" ] && return
	printf '%s  expected: %s / seen: %s\\n' "$1" "$2" "$3"${noted}
}`;

const expect_blocks = `# st_blocks, of which an extent tree may take so many blocks more.
expect_blocks() {
	more=$(($2 - $1))
	[ "$more" -ge 0 ] && [ $((more % $4)) -eq 0 ] && [ "$more" -le $(($3 * $4)) ] && return
	expect st_blocks "$1" "$2"
}`;

const map = ({ filefrag }: Ground): string =>
  `# The blocks of a file that are no holes, as first+count; neighbours of one state are one.
map() {
	${filefrag} -v "$1" | sed 's/[.:]/ /g' | awk '
		function told() { if (n) printf "%s%d+%d %s", (many++ ? ", " : ""), first, n, state }
		/^ *[0-9]+ / {
			is = /unwritten/ ? "unwritten" : /delalloc/ ? "delayed" : "written"
			if (is != state || $2 != first + n) { told(); first = $2; n = 0; state = is }
			n = $3 + 1 - first
		}
		END { told(); if (!n) printf "no blocks" }'
}`;

const reserved = ({ reserved: command }: Ground): string =>
  `# Blocks that the file system has reserved for delayed allocation.
reserved() { ${command}; }`;

const mark_log = ({ device }: Ground): string =>
  `# A line of our own, behind which the kernel's log has what it says of the device from now on.
mark_log() {
	device=${device}
	mark="case $$ on $device"
	echo "<4>$mark" >/dev/kmsg
}`;

const warnings = `# What the kernel has warned of since then; fails where its log no longer has the mark.
warnings() {
	dmesg -l emerg,alert,crit,err,warn | awk -v "mark=$mark" -v "device=$device" '
		index($0, mark) { marked = 1; said = ""; next }
		$0 ~ "(^|[^a-z0-9])" device "([^a-z0-9]|$)" { said = said $0 "\\n" }
		END { printf "%s", said; exit !marked }'
}`;

const expect_bytes = ({ own, noted }: Ground): string => {
  const [seen, must] = [own("seen"), own("must")];
  return `eight() { od -A n -c -j "$at" -N 8 "$1" | tr -d ' '; }

# Bytes of a file, from there on so many, are this letter.
expect_bytes() {
	dd "if=$1" of=${seen} iflag=skip_bytes,count_bytes "skip=$2" "count=$3" bs=1M status=none
	bytes "$4" "$3" >${must}
	cmp -s ${seen} ${must} && return
	# Where the first differs, or where what is seen ends.
	at=$(cmp -l ${seen} ${must} 2>/dev/null | awk '{ print $1 - 1; exit }')
	at=\${at:-$(stat -c %s ${seen})}
	printf 'byte %s  expected: %s / seen: %s\\n' $(($2 + at)) "$(eight ${must})" "$(eight ${seen})"${noted}
}`;
};

/** Exit status of the program below where the write fails. */
const FAILED = 9;

const short_write = ({ python, giveUp }: Ground): string =>
  `# Write to a file, there, so many bytes, of memory that ends behind so many which are this letter.
short_write() {
	${python} - "$@" <<-'EOF' && return
	import ctypes, mmap, os, sys
	path, letter, direct = sys.argv[1], sys.argv[5], sys.argv[6:]
	pos, length, readable = map(int, sys.argv[2:5])
	half, none = 4 << 20, 0
	memory = mmap.mmap(-1, 2 * half, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
	end = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + half
	libc = ctypes.CDLL(None)
	assert libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(half), none) == 0
	ctypes.memset(end - readable, ord(letter), readable)
	fd = os.open(path, os.O_RDWR | (os.O_DIRECT if direct else 0))
	libc.pwrite64.restype = ctypes.c_ssize_t
	at = ctypes.c_void_p(end - readable)
	done = libc.pwrite64(fd, at, ctypes.c_size_t(length), ctypes.c_int64(pos))
	sys.exit(0 if done >= 0 else ${FAILED})
	EOF
	[ $? = ${FAILED} ] || ${giveUp("python3 could not try the write")}
	return 1
}`;

type Text = string | ((ground: Ground) => string);

const TEXTS = {
  bytes,
  silent,
  expect,
  expect_blocks,
  map,
  reserved,
  expect_bytes,
  mark_log,
  warnings,
  short_write,
} as const satisfies Record<string, Text>;

export type FunctionName = keyof typeof TEXTS;

/** What others a function calls. */
const CALLS: Partial<Record<FunctionName, readonly FunctionName[]>> = {
  expect_blocks: ["expect"],
  expect_bytes: ["bytes"],
};

/** What a function calls, and itself. */
export const withCalled = (name: FunctionName): FunctionName[] => [...(CALLS[name] ?? []), name];

/** The function as it is where the script stands. */
export function functionText(name: FunctionName, ground: Ground): string {
  const text: Text = TEXTS[name];
  return typeof text === "string" ? text : text(ground);
}
