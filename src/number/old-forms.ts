/**
 * Numbers as they were once written and, in messengers and address books, still are. The plans have dropped these forms,
 * so libphonenumber refuses them. Each has one meaning only: none is a number of today's plan, which is asked first.
 *
 * | country | form | since | source |
 * | --- | --- | --- | --- |
 * | Mexico | `+52 1`, and at home `01`, `044` and `045`, before the ten digits; WhatsApp keeps `521` | void since 3 August 2019 | libphonenumber, metadata of MX: "Dialling tokens 01, 02, 044, 045 and 1 are removed" |
 * | Argentina | the 9 of calls from abroad and the 15 of calls at home in one number: `+54 9 11 15 …` | never right | ITU, national numbering plan of Argentina: one or the other |
 * | Brazil | mobiles of eight digits, before a 9 was put in front; WhatsApp keeps them outside of the area codes 11 to 28 | 2012 to 2016 | Anatel, resolution 553/2010 |
 * | Benin | eight digits, before 01 was put in front | 30 November 2024 | ITU, national numbering plan of Benin; libphonenumber 8.13.51 |
 *
 * Left as they are, since they may mean either: Argentinian mobiles without 9 and 15 (the same digits are a fixed line),
 * and Brazilian ones of eight digits that start with 7 (some still have eight).
 */
const OLD_FORMS: readonly (readonly [form: RegExp, now: string])[] = [
  [/^52(?:1|01|04[45])(?=\d{10}$)/, '52'],
  // The library knows which of the digits before the 15 are an area code, and makes a 9 of the 15.
  [/^549(?=0?\d{2,4}15\d{6,8}$)/, '54'],
  [/^55(?<area>\d\d)(?=[689]\d{7}$)/, '55$<area>9'],
  [/^229(?=\d{8}$)/, '22901'],
];

/**
 * @param digits international digits that are no number
 * @returns those that are meant, if they have such a form: to be read again; else null
 */
export function fromOldForm(digits: string): string | null {
  for (const [form, now] of OLD_FORMS) if (form.test(digits)) return digits.replace(form, now);
  return null;
}
