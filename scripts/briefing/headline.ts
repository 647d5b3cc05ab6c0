import type { Briefing } from '../../src/briefing/briefing.ts';

/** Figures for the terminal, a line each. */
export function headlineText({ period, captured, firstTime, firstTimeShare, inventory, origins }: Briefing): string {
  const leading = origins.slice(0, 5).map(({ group }) => group);
  const rows = [
    [
      'period',
      `${period.from} to ${period.to}, ${period.days} days${period.complete ? '' : `; so far: to ${period.until}, which is not over`}`,
    ],
    ['captured', count(captured)],
    ['first-time', `${count(firstTime)} (${(firstTimeShare * 100).toFixed(2)} %)`],
    ['inventory', count(inventory)],
    ['origins', leading.length === 0 ? 'none' : leading.join(', ')],
  ];
  return rows.map(([name = '', value]) => `${name.padEnd(12)}${value}\n`).join('');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
