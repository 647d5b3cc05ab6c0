/** Projects: how many numbers were detected for each, in the period and in the one before. */
import { isoDay } from '../format/records.ts';
import { INDUSTRIES } from '../format/vocabulary.ts';
import type { Project, ProjectFigures } from './briefing.ts';
import { type FactKinds, NONE } from './fact-kinds.ts';
import { by, changeOf } from './figures.ts';
import type { DaySpan } from './period.ts';

/** More than a reader goes through; the counts beside the lists are of all. */
const MAX_LISTED = 25;
/** Of a project whose detections name several industries. */
const SEVERAL = -2;

export class ProjectTally {
  readonly #kinds: FactKinds;
  readonly #captured: Float64Array;
  readonly #compared: Float64Array;
  readonly #previous: Float64Array;
  /** The number that was last counted for each project: they come in order. */
  readonly #lastCaptured: Float64Array;
  readonly #lastCompared: Float64Array;
  readonly #lastPrevious: Float64Array;
  /** Of the period's detections of each project: an index into INDUSTRIES, NONE, or SEVERAL. */
  readonly #industry: Int32Array;

  constructor(kinds: FactKinds) {
    const size = kinds.projects.length;
    this.#kinds = kinds;
    this.#captured = new Float64Array(size);
    this.#compared = new Float64Array(size);
    this.#previous = new Float64Array(size);
    this.#lastCaptured = new Float64Array(size);
    this.#lastCompared = new Float64Array(size);
    this.#lastPrevious = new Float64Array(size);
    this.#industry = new Int32Array(size).fill(NONE);
  }

  /**
   * A detection of a number in the period. Numbers come in order.
   * @param isCompared whether its day is one of those that are compared
   */
  addRow(number: number, kind: number, isCompared: boolean): void {
    const project = this.#kinds.project[kind] as number;
    if (project === NONE) return;
    countOnce(this.#captured, this.#lastCaptured, project, number);
    if (isCompared) countOnce(this.#compared, this.#lastCompared, project, number);
    const industry = this.#kinds.industry[kind] as number;
    const known = this.#industry[project] as number;
    if (industry !== NONE && industry !== known) this.#industry[project] = known === NONE ? industry : SEVERAL;
  }

  /** A detection of a number in the period before. Numbers come in order. */
  addPreviousRow(number: number, kind: number): void {
    const project = this.#kinds.project[kind] as number;
    if (project !== NONE) countOnce(this.#previous, this.#lastPrevious, project, number);
  }

  figures({ from, to }: DaySpan): ProjectFigures {
    const { projectFirstDay } = this.#kinds;
    const named = Array.from(this.#captured.keys()).filter((i) => (this.#captured[i] as number) > 0);
    const isNew = (i: number) => (projectFirstDay[i] as number) >= from && (projectFirstDay[i] as number) <= to;
    const fresh = named.filter(isNew).map((i) => this.#project(i));
    const growing = named.map((i) => this.#project(i)).filter(({ compared, previous }) => compared > previous);
    return {
      count: named.length,
      new: fresh
        .sort(
          by(
            (each) => each.captured,
            (each) => each.project,
          ),
        )
        .slice(0, MAX_LISTED),
      newCount: fresh.length,
      growing: growing
        .sort(
          by(
            (each) => each.compared - each.previous,
            (each) => each.project,
          ),
        )
        .slice(0, MAX_LISTED),
    };
  }

  #project(index: number): Project {
    const compared = this.#compared[index] as number;
    const previous = this.#previous[index] as number;
    return {
      project: this.#kinds.projects[index] as string,
      industry: INDUSTRIES[this.#industry[index] as number] ?? null,
      firstDay: isoDay(this.#kinds.projectFirstDay[index] as number),
      captured: this.#captured[index] as number,
      compared,
      previous,
      change: changeOf(compared, previous),
    };
  }
}

/** Counts a number for an index unless it was the last to be counted there. No number is 0. */
function countOnce(counts: Float64Array, last: Float64Array, index: number, number: number): void {
  if (last[index] === number) return;
  last[index] = number;
  counts[index] = (counts[index] as number) + 1;
}
