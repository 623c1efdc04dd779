/**
 * Error numbers that the modelled calls return, negated as in the kernel
 * (include/uapi/asm-generic/errno*.h).
 */
export const EIO = -5;
export const ENOMEM = -12;
export const EFAULT = -14;
export const EINVAL = -22;
export const EFBIG = -27;
export const ENOSPC = -28;
export const EOPNOTSUPP = -95;
