import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx("fsx drops nothing from the page cache");
