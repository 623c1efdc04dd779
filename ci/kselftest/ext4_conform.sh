#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The write path of the kernel that runs, as a test of tools/testing/selftests: KTAP on standard output; exit status 0
# it conforms, 1 it does not, 4 it cannot be run here, which both sides call a skip.
#
# EXT4_CONFORM names the program where it is not in PATH, EXT4_CONFORM_OPTIONS has options of ext4-conform run.
conform=${EXT4_CONFORM:-ext4-conform}

if ! command -v "$conform" >/dev/null; then
	echo "KTAP version 1"
	echo "1..0 # SKIP $conform is not installed"
	exit 4
fi

# What it finds is in the report too.
found=$(mktemp -d) || exit 4
trap 'rm -rf "$found"' EXIT
# shellcheck disable=SC2086 # They are words.
"$conform" run --report ktap --save "$found" ${EXT4_CONFORM_OPTIONS:---seconds 120}
