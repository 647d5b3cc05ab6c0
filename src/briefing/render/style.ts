/**
 * The page's style: a report, read on a screen of any width, in the light or the dark, or printed on A4.
 *
 * Two tones of one blue, told apart by lightness alone: colour-blind readers and grey printers see the same picture.
 * Captured is the light one, and has an outline since the light tone alone is weak on white.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1a1f26; --quiet: #59626e; --rule: #d9dde2; --grid: #e9ecef;
  --dark: #1f5f99; --light: #c4dcf0; --edge: #5b8fbd; --land: #e6e8ea; --shore: #cdd2d7;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e9ed; --quiet: #a0a9b4; --rule: #353b43; --grid: #262b31;
    --dark: #6fb1ec; --light: #24425d; --edge: #5687b3; --land: #2a2f36; --shore: #3d444d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main { max-width: 1040px; margin: 0 auto; padding: 48px 32px 64px; }
h1 { font-size: 34px; line-height: 1.15; font-weight: 600; letter-spacing: -0.015em; margin: 4px 0 12px; text-wrap: balance; }
h2 { font-size: 20px; line-height: 1.3; font-weight: 600; margin: 0 0 12px; }
p { margin: 0 0 12px; max-width: 72ch; }
ul { margin: 0; padding-left: 18px; max-width: 76ch; }
li { margin: 0 0 6px; }
section, footer { border-top: 1px solid var(--rule); padding-top: 20px; margin-top: 36px; }
footer { color: var(--quiet); font-size: 14px; }
footer h2 { font-size: 15px; color: var(--ink); }
.kicker, .lead, .note, figcaption { color: var(--quiet); }
.kicker { font-size: 14px; margin: 0; }
.note, figcaption { font-size: 14px; }
.note { margin: 12px 0 0; }
.figure, .from, time { white-space: nowrap; }
.name { overflow-wrap: anywhere; }
#headline { border-top: 2px solid var(--ink); margin-top: 28px; }
#headline h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 24px; margin: 0; }
.tiles dt { font-size: 14px; color: var(--quiet); }
.tiles dd { margin: 0; }
.tiles .now { font-size: 32px; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; }
.tiles .against { font-size: 14px; color: var(--quiet); }
.beside { display: grid; grid-template-columns: minmax(0, 10fr) minmax(0, 11fr); gap: 40px; align-items: start; }
figure { margin: 0 0 20px; }
figcaption { margin-top: 6px; }
.scroll { overflow-x: auto; }
.scroll + .scroll { margin-top: 28px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.35; }
caption { text-align: left; font-weight: 600; padding-bottom: 6px; }
th, td { text-align: left; vertical-align: baseline; font-weight: 400; padding: 4px 0 4px 14px; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { padding-left: 0; }
thead th { color: var(--quiet); border-bottom-color: var(--rule); vertical-align: bottom; }
tbody th { min-width: 96px; }
.numeric { text-align: right; white-space: nowrap; }
.picture { display: block; width: 100%; height: auto; overflow: visible; font-size: 13px; }
.picture text { fill: var(--ink); dominant-baseline: central; }
.picture .name, .picture .tick.value { text-anchor: end; }
.picture .tick { fill: var(--quiet); font-size: 12px; }
.picture .tick.day, .picture .middle { text-anchor: middle; }
.picture .end { text-anchor: end; }
.picture .dark { fill: var(--dark); }
.picture .light { fill: var(--light); stroke: var(--edge); stroke-width: 1; }
.picture path.light { stroke: none; }
.picture .line { fill: none; stroke: var(--dark); stroke-width: 1.5; }
.picture path.dark { fill-opacity: 0.75; }
.picture .dot { fill: var(--paper); stroke: var(--dark); stroke-width: 1.25; }
.picture .axis { stroke: var(--quiet); }
.picture .grid { stroke: var(--grid); }
.picture .land { fill: var(--land); stroke: var(--shore); stroke-width: 0.5; }
.picture .origin { fill: var(--dark); fill-opacity: 0.6; stroke: var(--paper); stroke-width: 0.75; }
.picture .leader { stroke: var(--quiet); }
.picture .label { paint-order: stroke; stroke: var(--paper); stroke-width: 3; stroke-linejoin: round; }
.world-map { font-size: 14px; }
.world-map .label .figure { fill: var(--quiet); }
@media screen and (max-width: 720px) {
  main { padding: 28px 16px 40px; }
  h1 { font-size: 27px; }
  section, footer { margin-top: 28px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 18px 16px; }
  .tiles .now { font-size: 25px; }
  .beside { grid-template-columns: minmax(0, 1fr); gap: 8px; }
  table { font-size: 12.5px; }
  th, td { padding-left: 7px; }
  tbody th { min-width: 72px; }
  td time { white-space: normal; }
  .world-map .label, .world-map .leader { display: none; }
}
@page { size: A4; margin: 16mm 15mm 18mm; }
@media print {
  body { font-size: 10pt; line-height: 1.4; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 20pt; }
  h2 { font-size: 12.5pt; break-after: avoid; }
  section, footer { padding-top: 10pt; margin-top: 16pt; }
  .tiles { gap: 12pt; }
  .world-map { width: 84%; margin: 0 auto; }
  .tiles .now { font-size: 19pt; }
  .tiles dt, .tiles .against, .note, figcaption, .kicker, footer { font-size: 8.5pt; }
  .beside { gap: 18pt; }
  table { font-size: 8.5pt; }
  th, td { padding: 2pt 0 2pt 7pt; }
  tbody th { min-width: 60pt; }
  thead { display: table-header-group; }
  tr, li, p, figure, .tiles, .beside { break-inside: avoid; }
  caption, p { break-after: avoid; }
  .note { break-after: auto; break-before: avoid; }
  .scroll { overflow: visible; }
}
`;
