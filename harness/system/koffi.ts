/**
 * Koffi, which calls libc. The build packs the part of it that is JavaScript: the package itself
 * would run a script where this one is installed, only to find that there is nothing to build. What
 * was built for each machine is in packages of their own, which package.json names.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageRoot } from "../host/package.ts";

/** Made by `npm run build`, as CommonJS. */
export const koffiPath = join(packageRoot, "dist", "koffi.cjs");

/** Load it. Throws where nothing was built for this machine. */
export const loadKoffi = (): typeof import("koffi").default =>
  createRequire(import.meta.url)(koffiPath) as typeof import("koffi").default;
