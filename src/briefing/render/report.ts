/** The report: a briefing as titled sections of lines and tables, from which Markdown and the page are written. */
import type { Line, Part } from './text.ts';

export interface Report {
  readonly title: Line;
  /** What the figures are compared with, and where they come from. */
  readonly lead: Line;
  readonly sections: readonly Section[];
  /** How figures are defined, one line each. */
  readonly definitions: readonly Line[];
}

export interface Section {
  readonly id: SectionId;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly tables: readonly Table[];
  /** What readers of the tables should know. */
  readonly notes: readonly Line[];
}

export type SectionId =
  | 'headline'
  | 'changes'
  | 'origins'
  | 'channels'
  | 'industries'
  | 'trend'
  | 'projects'
  | 'links'
  | 'blocks'
  | 'quarantine';

export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** One part for each column; the first names the row. */
  readonly rows: readonly (readonly Part[])[];
}

export interface Column {
  readonly title: string;
  readonly numeric: boolean;
}

export function text(title: string): Column {
  return { title, numeric: false };
}

export function figures(title: string): Column {
  return { title, numeric: true };
}
