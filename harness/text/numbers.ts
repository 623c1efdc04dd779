/**
 * Numbers as a person reads them.
 */
const number = new Intl.NumberFormat("en-US");

/** 12,345 */
export function grouped(n: number): string {
  return number.format(Math.round(n));
}

/** "1 case", "2,000 cases" */
export function counted(n: number, what: string): string {
  return `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;
}
