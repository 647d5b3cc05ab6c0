/**
 * What changed, in sentences. They say what the figures say and no more: a verb for the direction, the figures, and no
 * adjective. Each sentence is right for zero, for one and for ties, or it is not written. A change is called one only
 * where chance alone hardly makes it (significance.ts).
 */
import { greatest, least, sum } from 'd3-array';
import type { Briefing, ComparedFigures, Origin } from '../briefing.ts';
import { changeOf } from '../tallies.ts';
import type { Section } from './report.ts';
import { growingProjects, largestOrigins, whatIsCompared } from './sections.ts';
import { isChange, isEnough, isShareChange, type Portion } from './significance.ts';
import {
  changeFigure,
  count,
  counted,
  type Line,
  line,
  listed,
  name,
  originName,
  pointsFigure,
  share,
  spelled,
} from './text.ts';

export function changesSection(briefing: Briefing): Section {
  const { period, compared, previous } = briefing;
  return {
    id: 'changes',
    title: 'What changed',
    lines: [
      ...(period.complete ? [] : [whatIsCompared(compared)]),
      ...(compared === null ? [] : totals(compared, previous)),
      ...origins(briefing),
      ...(compared === null ? [] : shifts(compared, previous)),
      ...projects(briefing.projects),
      ...quarantine(briefing.quarantined),
    ],
    tables: [],
    notes: [],
  };
}

function totals(now: ComparedFigures, before: ComparedFigures): Line[] {
  const lines = [movement('Captured numbers', now.captured, before.captured)];
  if (now.captured > 0 || before.captured > 0) {
    lines.push(movement('First-time numbers', now.firstTime, before.firstTime));
  }
  if (now.captured > 0 && before.captured > 0) lines.push(shareMovement(now, before));
  return [...lines, stockMovement('Numbers in the inventory', now.inventory, before.inventory)];
}

function movement(subject: string, now: number, before: number): Line {
  if (now === before || isChange(now, before)) return stockMovement(subject, now, before);
  return line`${subject}: ${count(now)}, ${count(before)} before; ${NO_CHANGE}.`;
}

const NO_CHANGE = 'not enough to call it a change';

/** For what does not come anew in each period, so that chance plays no part. */
function stockMovement(subject: string, now: number, before: number): Line {
  if (now === before) return line`${subject} stayed at ${count(now)}.`;
  const verb = now > before ? 'rose' : 'fell';
  return line`${subject} ${verb} from ${count(before)} to ${count(now)}${inBrackets(now, before)}.`;
}

/** As a percentage, if the counts are large enough for one. */
function inBrackets(now: number, before: number): Line {
  return isEnough(before) ? line` (${changeFigure(changeOf(now, before))})` : [];
}

function shareMovement(now: ComparedFigures, before: ComparedFigures): Line {
  const subject = 'The share of first-time numbers';
  const [a, b] = [now.firstTimeShare, before.firstTimeShare];
  if (a === b) return line`${subject} stayed at ${share(a)}.`;
  if (!isShareChange(firstTimePortion(now), firstTimePortion(before))) {
    return line`${subject}: ${share(a)}, ${share(b)} before; ${NO_CHANGE}.`;
  }
  return line`${subject} ${a > b ? 'rose' : 'fell'} from ${share(b)} to ${share(a)} (${pointsFigure(a - b)}).`;
}

function firstTimePortion({ firstTime, captured }: ComparedFigures): Portion {
  return { part: firstTime, whole: captured };
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
  if (briefing.compared !== null && briefing.previous.captured > 0) {
    lines.push(...originMoves(shown, others === null ? 'origins' : 'largest origins'));
  }
  return lines;
}

/** Changes among the origins that are listed. */
function originMoves(shown: readonly Origin[], which: string): Line[] {
  const lines: Line[] = [];
  const changed = shown.flatMap(({ group, compared, previous, change }) =>
    change !== null && isEnough(previous) && isChange(compared, previous) ? [{ group, change }] : [],
  );
  const most = greatest(changed, ({ change }) => change);
  const fewest = least(changed, ({ change }) => change);
  if (changed.length === 1 && most !== undefined) {
    lines.push(line`Of the ${which}, ${originName(most.group)} alone ${moved(most)}.`);
  } else if (most !== undefined && fewest !== undefined) {
    const moves: Line[] = [];
    if (most.change > 0) moves.push(movedMost(most));
    if (fewest.change < 0) moves.push(movedMost(fewest));
    lines.push(
      line`Of the ${count(changed.length)} ${which} that changed by more than chance makes, ${listed(moves)}.`,
    );
  }
  const added = shown.filter(({ compared, previous }) => previous === 0 && isChange(compared, previous));
  if (added.length > 0) {
    lines.push(line`Not captured in the period before: ${listed(added.map(({ group }) => [originName(group)]))}.`);
  }
  return lines;
}

interface Move {
  readonly group: string;
  readonly change: number;
}

function moved({ change }: Move): Line {
  return line`${change > 0 ? 'grew' : 'fell'} by more than chance makes (${changeFigure(change)})`;
}

function movedMost({ group, change }: Move): Line {
  return line`${originName(group)} ${change > 0 ? 'grew' : 'fell'} most (${changeFigure(change)})`;
}

function shifts(now: ComparedFigures, before: ComparedFigures): Line[] {
  const channels = (figures: ComparedFigures): Portions => ({
    whole: figures.firstTime,
    parts: new Map(figures.channels.map(({ channel, firstTime }) => [channel, firstTime])),
  });
  const industries = (figures: ComparedFigures): Portions => ({
    whole: figures.captured,
    parts: new Map(figures.industries.map(({ industry, captured }) => [industry, captured])),
  });
  return [
    ...shiftLine('channels', 'first-time', channels(now), channels(before)),
    ...shiftLine('industries', 'captured', industries(now), industries(before)),
  ];
}

interface Portions {
  readonly whole: number;
  readonly parts: ReadonlyMap<string, number>;
}

/**
 * The first of those whose share moved most, up or down; nothing if there are fewer than two, since one alone has all.
 */
function shiftLine(kinds: string, numbers: string, now: Portions, before: Portions): Line[] {
  const ids = new Set([...now.parts.keys(), ...before.parts.keys()]);
  if (ids.size < 2 || now.whole === 0 || before.whole === 0) return [];
  const all = [...ids].map((id) => {
    const [a, b] = [portionOf(now, id), portionOf(before, id)];
    return { id, now: a.part / a.whole, before: b.part / b.whole, isChange: isShareChange(a, b) };
  });
  if (all.every((shift) => shift.now === shift.before)) {
    return [line`Each of the ${kinds} kept its share of the ${numbers} numbers.`];
  }
  const size = (shift: { readonly now: number; readonly before: number }) => Math.abs(shift.now - shift.before);
  const named = greatest(
    all.filter((shift) => shift.isChange),
    size,
  );
  if (named === undefined) return [];
  // A larger shift of shares around a half can be chance where a smaller shift of a few percent is not.
  const how = all.some((shift) => size(shift) > size(named)) ? 'by more than chance makes' : 'most';
  return [
    line`Of the ${kinds}, ${spelled(named.id)} changed its share of the ${numbers} numbers ${how}: from ${share(named.before)} to ${share(named.now)} (${pointsFigure(named.now - named.before)}).`,
  ];
}

function portionOf({ whole, parts }: Portions, id: string): Portion {
  return { part: parts.get(id) ?? 0, whole };
}

function projects(figures: Briefing['projects']): Line[] {
  const { new: added, newCount } = figures;
  const lines: Line[] = [];
  const [first] = added;
  if (first !== undefined) {
    const lead = line`${counted(newCount, 'project')} ${newCount === 1 ? 'was' : 'were'} named for the first time`;
    const figure = line`“${name(first.project)}” (${counted(first.captured, 'captured number')})`;
    lines.push(newCount === 1 ? line`${lead}: ${figure}.` : line`${lead}; first by captured numbers is ${figure}.`);
  }
  const [top] = growingProjects(figures);
  if (top !== undefined) {
    lines.push(
      line`“${name(top.project)}” leads the projects that grew by more than chance makes: from ${count(top.previous)} to ${counted(top.compared, 'captured number')}${inBrackets(top.compared, top.previous)}.`,
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
