/** A briefing as GitHub-flavoured Markdown. */
import type { Briefing } from '../briefing.ts';
import { composeReport } from './compose.ts';
import type { Section, Table } from './report.ts';
import type { Line, Part } from './text.ts';

export function renderMarkdown(briefing: Briefing): string {
  const { title, lead, sections, definitions } = composeReport(briefing);
  const blocks = [
    `# ${lineText(title)}`,
    lineText(lead),
    ...sections.flatMap(sectionBlocks),
    '## How to read the figures',
    list(definitions),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function sectionBlocks({ id, title, lines, tables, notes }: Section): string[] {
  const filled = tables.filter(({ rows }) => rows.length > 0);
  const isSeveral = tables.length > 1;
  return [
    `## ${title}`,
    ...(id === 'changes' ? [list(lines)] : lines.map(lineText)),
    ...filled.flatMap((table) => (isSeveral ? [`### ${table.caption}`, tableText(table)] : [tableText(table)])),
    ...(filled.length > 0 ? notes.map(lineText) : []),
  ];
}

function list(lines: readonly Line[]): string {
  return lines.map((parts) => `- ${lineText(parts)}`).join('\n');
}

function tableText({ columns, rows }: Table): string {
  return [
    row(columns.map(({ title }) => title)),
    row(columns.map(({ numeric }) => (numeric ? '---:' : '---'))),
    ...rows.map((parts) => row(parts.map(partText))),
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function lineText(parts: Line): string {
  return parts.map(partText).join('');
}

function partText(part: Part): string {
  if (typeof part === 'string') return part;
  return part.kind === 'name' ? escapeMarkdown(part.text) : part.text;
}

/** Characters that could begin markup, a cell, an entity or a formula, or make GitHub link a bare address. */
const MARKUP = /[\\`*_{}[\]<>()#|~!&$@:]/g;
const BARE_WWW = /\bwww\./gi;

function escapeMarkdown(text: string): string {
  return text.replace(MARKUP, '\\$&').replace(BARE_WWW, (www) => `${www.slice(0, -1)}\\.`);
}
