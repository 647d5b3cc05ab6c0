/**
 * A number as a query has it. A plus sign that was not escaped arrives as a space. No one means a leading space, and
 * without the plus a number with `country` would be read as a national one.
 */
export function numberInQuery(text: string): string {
  return text.startsWith(' ') ? `+${text.slice(1)}` : text;
}
