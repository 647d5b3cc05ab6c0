import { DEFAULT_CHANNEL, DEFAULT_LABEL } from '../../src/ingest/validate.ts';
import type { FileSummary } from './import-file.ts';
import { formatCount } from './progress.ts';

/** What an import did, for a person. */
export function summaryText(summaries: readonly FileSummary[]): string {
  return summaries.map(fileText).join('\n');
}

/** What a batch can be that the server has and does not count, and what can be done about it. */
const UNCOUNTED: Readonly<Record<string, { readonly what: string; readonly way: string }>> = {
  'set-aside': {
    what: 'set aside by a rollback, or since no tick could merge them: stored, but not in the inventory',
    way: 'an admin brings them back with POST /v1/batches/ID/release (docs/OPERATING.md, "Bad data got in")',
  },
  withdrawn: {
    what: 'withdrawn by an admin: stored, but not in the inventory',
    way:
      'a withdrawal cannot be undone, and the same lines are the same upload; to have them counted after all, import the ' +
      'file with something else in every line, as with --set source=NAME',
  },
  held: {
    what: 'held in quarantine',
    way: 'an admin releases or drops their source (docs/QUALITY.md); until then none of it is in the inventory',
  },
};
/** In these states somebody has to do something before the file counts. */
const TAKEN_BACK = ['set-aside', 'withdrawn'];
const MAX_BATCHES_NAMED = 3;

/** Nothing of the file counts, or not all of it does. */
export function hasFailed({ accepted, sentBefore, uncounted }: FileSummary): boolean {
  return accepted + sentBefore === 0 || TAKEN_BACK.some((state) => uncounted[state] !== undefined);
}

function fileText(summary: FileSummary): string {
  const rejected = Object.values(summary.rejectedByCode).reduce((total, count) => total + count, 0);
  const lines = [`${summary.file}: ${outcome(summary)}`, row('lines read', summary.lines)];
  if (summary.sentBefore > 0) lines.push(row('sent before', summary.sentBefore));
  lines.push(row('accepted', summary.accepted), row('rejected', rejected));
  const byCount = Object.entries(summary.rejectedByCode).sort(([, a], [, b]) => b - a);
  for (const [code, count] of byCount) lines.push(row(`  ${code}`, count));
  lines.push(row('batches', summary.batches), ...remarks(summary));
  return `${lines.join('\n')}\n`;
}

function outcome({ lines, accepted, sentBefore, alreadyImported, uncounted }: FileSummary): string {
  if (lines === 0) return 'nothing was imported: the file is empty, or has a header and no rows';
  if (accepted + sentBefore === 0) return 'nothing was imported: every line was rejected';
  if (uncounted.withdrawn !== undefined) return 'imported before, and withdrawn since';
  const isTakenBack = TAKEN_BACK.some((state) => uncounted[state] !== undefined);
  if (isTakenBack) return 'imported before, and taken back since';
  return alreadyImported ? 'already imported, nothing sent' : 'imported';
}

function remarks(summary: FileSummary): string[] {
  const { undated, observedAt, unlabelled, channelless, ignoredFields, unasked, uncounted, rejectsPath } = summary;
  const texts: string[] = [];
  const had = (count: number, field: string, got: string) => {
    if (count > 0) texts.push(`${linesText(count)} had no ${field} and got ${got}`);
  };
  had(undated, 'observedAt', `${observedAt} (--observed-at)`);
  had(unlabelled, 'label', `${DEFAULT_LABEL} (--set label=…)`);
  had(channelless, 'channel', `${DEFAULT_CHANNEL} (--set channel=…)`);
  if (ignoredFields.length > 0)
    texts.push(`passed over: ${ignoredFields.join(', ')} (--map FIELD=COLUMN takes them in)`);
  for (const [state, batches] of Object.entries(uncounted)) {
    const { what, way } = UNCOUNTED[state] ?? { what: `"${state}" on the server`, way: 'see docs/OPERATING.md' };
    const more = batches.length > MAX_BATCHES_NAMED ? ', …' : '';
    const names = batches.slice(0, MAX_BATCHES_NAMED).join(', ') + more;
    texts.push(`${formatCount(batches.length)} of its batches are ${what}; ${way}: ${names}`);
  }
  if (summary.alreadyImported && summary.sentBefore > 0) {
    texts.push(
      'the server has what was sent before the file was repaired; whether it was taken back could not be asked',
    );
  }
  if (unasked > 0)
    texts.push(`${formatCount(unasked)} batches were sent by another version and could not be asked about`);
  if (rejectsPath !== null) texts.push(`rejected lines are listed in ${rejectsPath}`);
  return texts.map((text) => `  ${text}`);
}

function linesText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'line' : 'lines'}`;
}

function row(name: string, count: number): string {
  return `  ${name.padEnd(22)}${formatCount(count).padStart(12)}`;
}
