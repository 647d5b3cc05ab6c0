import type { Briefing, BriefingPeriod, Period, Project } from '../../briefing.ts';
import { isChange, isEnough } from '../chance.ts';
import { NO_FIGURE } from '../format.ts';
import { spelled } from '../names.ts';
import { changeFigure, count, counted, dayOf, type Line, line, name } from '../parts.ts';
import { figures, type Section, type Table, text } from '../report.ts';

export function projectsSection({ period, projects }: Briefing): Section {
  return {
    id: 'projects',
    title: 'Projects',
    lines: [summary(projects)],
    tables: [newTable(projects.new, period), growingTable(growingProjects(projects), period)],
    notes: notes(projects),
  };
}

/** Those that grew by more than chance makes. */
export function growingProjects({ growing }: Briefing['projects']): Project[] {
  return growing.filter(({ compared, previous }) => isChange(compared, previous));
}

function notes(projects: Briefing['projects']): Line[] {
  const lines: Line[] = [];
  if (projects.new.length < projects.newCount) {
    lines.push(line`Of the new projects the ${count(projects.new.length)} with most captured numbers are listed.`);
  }
  if (growingProjects(projects).length < projects.growing.length) {
    lines.push(line`Projects that grew by no more than chance makes are left out; the JSON of this briefing has them.`);
  }
  return lines;
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

function growingTable(projects: readonly Project[], { complete }: BriefingPeriod): Table {
  return {
    caption: complete ? 'Growing projects' : 'Growing projects, in the days that are over',
    columns: [text('Project'), text('Industry'), figures('Captured'), figures('Before'), figures('Change')],
    rows: projects.map(({ project, industry, compared, previous, change }) => [
      name(project),
      industryName(industry),
      count(compared),
      count(previous),
      changeFigure(isEnough(previous) ? change : null),
    ]),
  };
}

function industryName(industry: Project['industry']): string {
  return industry === null ? NO_FIGURE : spelled(industry);
}
