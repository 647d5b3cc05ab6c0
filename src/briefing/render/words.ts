/**
 * What changed, in sentences. They say what the figures say and no more: a verb for the direction, the figures
 * themselves, and no adjective. Each holds for nothing, for one and for ties, or is left out.
 */
import { greatest, least, sum } from 'd3-array';
import type { Briefing, Origin } from '../briefing.ts';
import { originName, spelled } from './names.ts';
import { changeFigure, count, counted, type Line, line, listed, name, pointsFigure, share } from './parts.ts';
import type { Section } from './report.ts';
import { changeOf } from './sections/headline.ts';
import { largestOrigins } from './sections/origins.ts';

export function changesSection(briefing: Briefing): Section {
  return {
    id: 'changes',
    title: 'What changed',
    lines: [
      ...totals(briefing),
      ...origins(briefing),
      ...shifts(briefing),
      ...projects(briefing.projects),
      ...quarantine(briefing.quarantined),
    ],
    tables: [],
    notes: [],
  };
}

function totals({ captured, firstTime, firstTimeShare, inventory, previous }: Briefing): Line[] {
  const lines = [movement('Captured numbers', captured, previous.captured)];
  if (captured > 0 || previous.captured > 0) {
    lines.push(movement('First-time numbers', firstTime, previous.firstTime));
  }
  if (captured > 0 && previous.captured > 0) {
    lines.push(shareMovement('The share of first-time numbers', firstTimeShare, previous.firstTimeShare));
  }
  return [...lines, movement('Numbers in the inventory', inventory, previous.inventory)];
}

function movement(subject: string, now: number, before: number): Line {
  if (now === before) return line`${subject} stayed at ${count(now)}.`;
  const verb = now > before ? 'rose' : 'fell';
  return line`${subject} ${verb} from ${count(before)} to ${count(now)}${inBrackets(changeOf(now, before))}.`;
}

function inBrackets(change: number | null): Line {
  return change === null ? [] : line` (${changeFigure(change)})`;
}

function shareMovement(subject: string, now: number, before: number): Line {
  if (now === before) return line`${subject} stayed at ${share(now)}.`;
  const verb = now > before ? 'rose' : 'fell';
  return line`${subject} ${verb} from ${share(before)} to ${share(now)} (${pointsFigure(now - before)}).`;
}

function origins(briefing: Briefing): Line[] {
  const { shown, others } = largestOrigins(briefing);
  const [first, second] = shown;
  if (first === undefined) return [];
  const origin = originName(first.group);
  const figures = line`${count(first.captured)} (${share(first.share)})`;
  const lines = [
    first.captured === second?.captured
      ? line`No origin had more captured numbers than ${origin}: ${figures}.`
      : line`${origin} had the most captured numbers of all origins: ${figures}.`,
  ];
  if (briefing.previous.captured > 0)
    lines.push(...originMoves(shown, others === null ? 'origins' : 'largest origins'));
  return lines;
}

/** Among those listed: of an origin with few numbers, any change is a large one. */
function originMoves(shown: readonly Origin[], which: string): Line[] {
  const lines: Line[] = [];
  const compared = shown.flatMap(({ group, change }) => (change === null ? [] : [{ group, change }]));
  const most = greatest(compared, ({ change }) => change);
  const fewest = least(compared, ({ change }) => change);
  const moves: Line[] = [];
  if (most !== undefined && most.change > 0) moves.push(move(most, 'grew'));
  if (fewest !== undefined && fewest.change < 0) moves.push(move(fewest, 'fell'));
  if (moves.length > 0 && shown.length > 1) {
    lines.push(line`Of the ${count(shown.length)} ${which}, ${listed(moves)}.`);
  }
  const fresh = shown.filter(({ change }) => change === null);
  if (fresh.length > 0) {
    lines.push(line`Not captured in the period before: ${listed(fresh.map(({ group }) => [originName(group)]))}.`);
  }
  return lines;
}

function move({ group, change }: { readonly group: string; readonly change: number }, verb: string): Line {
  return line`${originName(group)} ${verb} most (${changeFigure(change)})`;
}

function shifts({ channels, industries, captured, firstTime, previous }: Briefing): Line[] {
  const byChannel = largestShift(
    new Map(channels.map((figure) => [figure.channel, figure.share])),
    new Map(previous.channels.map((figure) => [figure.channel, figure.share])),
  );
  const byIndustry = largestShift(
    new Map(industries.map((figure) => [figure.industry, figure.share])),
    new Map(previous.industries.map((figure) => [figure.industry, figure.share])),
  );
  return [
    ...(firstTime > 0 && previous.firstTime > 0 ? shiftLine('channels', 'first-time', byChannel) : []),
    ...(captured > 0 && previous.captured > 0 ? shiftLine('industries', 'captured', byIndustry) : []),
  ];
}

interface Shift {
  readonly id: string;
  readonly now: number;
  readonly before: number;
}

/** The first of those that moved most, either way; undefined if there are fewer than two: one alone has all. */
function largestShift(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): Shift | undefined {
  const ids = new Set([...now.keys(), ...before.keys()]);
  if (ids.size < 2) return undefined;
  const all = [...ids].map((id): Shift => ({ id, now: now.get(id) ?? 0, before: before.get(id) ?? 0 }));
  return greatest(all, (shift) => Math.abs(shift.now - shift.before));
}

function shiftLine(kinds: string, numbers: string, shift: Shift | undefined): Line[] {
  if (shift === undefined) return [];
  const { id, now, before } = shift;
  if (now === before) return [line`Each of the ${kinds} kept its share of the ${numbers} numbers.`];
  return [
    line`Of the ${kinds}, ${spelled(id)} changed its share of the ${numbers} numbers most: from ${share(before)} to ${share(now)} (${pointsFigure(now - before)}).`,
  ];
}

function projects({ new: fresh, newCount, growing }: Briefing['projects']): Line[] {
  const lines: Line[] = [];
  const [first] = fresh;
  if (first !== undefined) {
    const lead = line`${counted(newCount, 'project')} ${newCount === 1 ? 'was' : 'were'} named for the first time`;
    const figures = line`“${name(first.project)}” (${counted(first.captured, 'captured number')})`;
    lines.push(newCount === 1 ? line`${lead}: ${figures}.` : line`${lead}; first by captured numbers is ${figures}.`);
  }
  const [top] = growing;
  if (top !== undefined) {
    lines.push(
      line`“${name(top.project)}” leads the growing projects: from ${count(top.previous)} to ${counted(top.captured, 'captured number')}${inBrackets(top.change)}.`,
    );
  }
  return lines;
}

function quarantine(sources: Briefing['quarantined']): Line[] {
  if (sources.length === 0) return [];
  const detections = sum(sources, (source) => source.detections);
  const [verb, whose] = sources.length === 1 ? ['is', 'its'] : ['are', 'their'];
  return [
    line`${counted(sources.length, 'source')} ${verb} in quarantine; ${whose} ${counted(detections, 'detection')} ${detections === 1 ? 'is' : 'are'} in none of the figures.`,
  ];
}
