import type { Briefing, Period, Project } from '../../briefing.ts';
import { NO_FIGURE } from '../format.ts';
import { spelled } from '../names.ts';
import { changeFigure, count, counted, dayOf, type Line, line, name } from '../parts.ts';
import { figures, type Section, type Table, text } from '../report.ts';

export function projectsSection({ period, projects }: Briefing): Section {
  return {
    id: 'projects',
    title: 'Projects',
    lines: [summary(projects)],
    tables: [newTable(projects.new, period), growingTable(projects.growing)],
    notes:
      projects.new.length < projects.newCount
        ? [line`Of the new projects the ${count(projects.new.length)} with most captured numbers are listed.`]
        : [],
  };
}

function summary({ count: named, newCount }: Briefing['projects']): Line {
  if (named === 0) return line`No project was named.`;
  const verb = named === 1 ? 'was' : 'were';
  return line`${counted(named, 'project')} ${verb} named, ${count(newCount)} of them for the first time over all history.`;
}

function newTable(projects: readonly Project[], period: Period): Table {
  return {
    caption: 'New projects',
    columns: [text('Project'), text('Industry'), text('First named'), figures('Captured')],
    rows: projects.map(({ project, industry, firstDay, captured }) => [
      name(project),
      industryName(industry),
      dayOf(period, firstDay),
      count(captured),
    ]),
  };
}

function growingTable(projects: readonly Project[]): Table {
  return {
    caption: 'Growing projects',
    columns: [text('Project'), text('Industry'), figures('Captured'), figures('Before'), figures('Change')],
    rows: projects.map(({ project, industry, captured, previous, change }) => [
      name(project),
      industryName(industry),
      count(captured),
      count(previous),
      changeFigure(change),
    ]),
  };
}

function industryName(industry: Project['industry']): string {
  return industry === null ? NO_FIGURE : spelled(industry);
}
