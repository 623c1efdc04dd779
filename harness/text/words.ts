/**
 * Words as a person writes them.
 */

/** As a sentence begins. */
export const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
