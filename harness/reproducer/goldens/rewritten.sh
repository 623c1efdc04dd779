#!/bin/sh
# What is written again, and synced, where writeback failed before, is lost.
# what was seen
# 4k-thin: a device that can run out of room: what writeback could not write, and what is
# written after it
# pwrite(pos=0, len=4096); fsync(no room); pwrite(pos=0, len=4096); fsync()
#
# sudo sh case.sh
# Exit status: 0 as it must be, 1 not, 2 it could not be tried.
# Expected is what a kernel like 6.18 must do.
unshare --mount true || exit 2
exec unshare --mount sh /proc/self/fd/9 9<<'END_OF_CASE'
set -eu
wrong=0
status=2

end() {
	cd /
	umount -l "$dir"
	rmdir "$dir"
	exit $status
}

# So many bytes that are this letter.
bytes() { head -c "$2" /dev/zero | tr '\0' "$1"; }

eight() { od -A n -c -j "$at" -N 8 "$1" | tr -d ' '; }

# Bytes of a file, from there on so many, are this letter.
expect_bytes() {
	dd "if=$1" of=seen iflag=skip_bytes,count_bytes "skip=$2" "count=$3" bs=1M status=none
	bytes "$4" "$3" >must
	cmp -s seen must && return
	# Where the first differs, or where what is seen ends.
	at=$(cmp -l seen must 2>/dev/null | awk '{ print $1 - 1; exit }')
	at=${at:-$(stat -c %s seen)}
	printf 'byte %s  expected: %s / seen: %s\n' $(($2 + at)) "$(eight must)" "$(eight seen)"
	wrong=1
}

dir=$(mktemp -d)
trap end EXIT
mount -t tmpfs -o size=68157440 tmpfs "$dir"
cd "$dir"
mkdir mnt
truncate -s 67108864 image
head -c 64M /dev/zero | tr '\0' '#' | dd of=image bs=1M conv=notrunc status=none
mkfs.ext4 -F -q -b 4096 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard,hash_seed=2f5c3fa0-5b1e-4c4e-9c55-6ad1d3b7e0a4 image
fallocate -l 67108864 image
(l=$(losetup --find --show image) && { mount -t ext4 -o commit=86400 "$l" mnt && s=0 || s=$?; losetup -d "$l"; exit "$s"; })
fstrim mnt && echo 4 >"/sys/block/$(basename "$(findmnt -n -o SOURCE mnt)")/queue/max_sectors_kb"
# Open to the end: a last close would give back what is preallocated.
exec 3<>mnt/file

# 0: pwrite(pos=0, len=4096)
bytes A 4096 | dd of=mnt/file bs=4096 iflag=fullblock oflag=seek_bytes seek=0 conv=notrunc status=none || true

# 1: fsync(no room)
fstrim mnt && sync "/dev/$(basename "$(findmnt -n -o SOURCE mnt)")" && mount -o remount,size=$(( ($(stat -f -c %b .) - $(stat -f -c %f .)) * $(stat -f -c %S .) )) "$PWD"
sync mnt/file || true
mount -o remount,size=68157440 "$PWD"

# 2: pwrite(pos=0, len=4096)
bytes C 4096 | dd of=mnt/file bs=4096 iflag=fullblock oflag=seek_bytes seek=0 conv=notrunc status=none || true

# 3: fsync()   <- shows it
sync mnt/file || true

# What must be seen now.
exec 3>&-
umount mnt
(l=$(losetup --find --show image) && { mount -t ext4 -o commit=86400 "$l" mnt && s=0 || s=$?; losetup -d "$l"; exit "$s"; })
expect_bytes mnt/file 0 4096 C

status=$wrong
if [ $wrong = 0 ]; then echo 'as it must be'; else echo WRONG; fi
END_OF_CASE
