/**
 * For tests: a tree that `kernel build` takes for a kernel's, and that is built in no time: what
 * comes out is a kernel that is there already.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const makefileFor = (kernel: string): string => `\
allnoconfig:
	mkdir -p $(O)/include/config
	cp $(KCONFIG_ALLCONFIG) $(O)/.config
	echo 6.1.0-made-of-nothing >$(O)/include/config/kernel.release
syncconfig:
linux:
	@echo '  CC      fs/ext4/inode.o'
	cp ${kernel} $(O)/linux
`;

/** Makes the tree, of the kernel in a file, in a folder that is not there yet. */
export function treeOfNothing(folder: string, kernel: string): void {
  for (const part of ["fs/ext4", "arch"]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "Kbuild"), "");
  writeFileSync(join(folder, "Makefile"), makefileFor(kernel));
}
