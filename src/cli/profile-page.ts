/** A profile as a page that needs nothing from outside: facts, pictures, and a table that can be sorted. */
import type { KernelProfile, ModelProfile } from '../index.ts';
import { formatBytes, formatCount } from './format.ts';
import { kindOf } from './profile-kinds.ts';
import { escapeText, pictureParts } from './profile-picture.ts';
import { describeProfile, formatMs, formatPercent } from './profile-table.ts';

const PAGE_RULES = `
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 22px; margin: 0 0 12px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 20px; }
dt { color: var(--quiet); }
dd { margin: 0; }
main > svg { display: block; width: 100%; height: auto; margin: 20px 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 20px; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.card b { display: block; font-size: 22px; font-weight: 600; }
.card span { color: var(--quiet); font-size: 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 12.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: var(--ground); cursor: pointer; user-select: none; }
th[aria-sort="ascending"]::after { content: " ↑"; }
th[aria-sort="descending"]::after { content: " ↓"; }
td.text, th.text { text-align: left; }
td.layers, td.kernel { white-space: normal; min-width: 220px; overflow-wrap: anywhere; }
td.share { background: linear-gradient(to right, color-mix(in srgb, var(--own) 35%, transparent) var(--part), transparent var(--part)); min-width: 64px; }
td small { color: var(--quiet); font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
i { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 6px; background: var(--own); }
tr.chosen td { background-color: var(--panel); }
`;

/** Sorts by the column that is clicked; marks a kernel in all places where the pointer is over one of them. */
const PAGE_SCRIPT = `
const body = document.querySelector('tbody');
const heads = [...document.querySelectorAll('th')];
for (const [column, head] of heads.entries()) {
  head.addEventListener('click', () => {
    const isDown = head.getAttribute('aria-sort') === 'ascending' || (!head.hasAttribute('aria-sort') && !head.classList.contains('text'));
    for (const other of heads) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
    const valueOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const order = (a, b) => {
      const [x, y] = [valueOf(a), valueOf(b)];
      return (isDown ? -1 : 1) * (head.classList.contains('text') ? x.localeCompare(y, 'en', { numeric: true }) : x - y);
    };
    body.append(...[...body.rows].sort(order));
  });
}
const mark = (target, isOn) => {
  const index = target.closest?.('[data-kernel]')?.dataset.kernel;
  if (index === undefined) return;
  for (const part of document.querySelectorAll('[data-kernel="' + index + '"]')) part.classList.toggle('chosen', isOn);
};
document.addEventListener('pointerover', (event) => mark(event.target, true));
document.addEventListener('pointerout', (event) => mark(event.target, false));
`;

/** A column of the table: what it shows, and what it is sorted by. */
interface Column {
  readonly title: string;
  readonly hint: string;
  readonly isText?: boolean;
  readonly value?: (kernel: KernelProfile, index: number) => number;
  readonly cell: (kernel: KernelProfile, index: number) => string;
}

const COLUMNS: readonly Column[] = [
  { title: '#', hint: 'order in the run', value: (_, index) => index, cell: (_, index) => String(index + 1) },
  {
    title: 'ms',
    hint: 'median',
    value: (kernel) => kernel.milliseconds,
    cell: (kernel) => formatMs(kernel.milliseconds),
  },
  {
    title: 'share',
    hint: 'of the time of all kernels',
    value: (kernel) => kernel.share,
    cell: (kernel) => `${(kernel.share * 100).toFixed(1)} %`,
  },
  {
    title: 'floor ms',
    hint: 'the time below which computing and memory do not let it get',
    value: (kernel) => kernel.floorMilliseconds,
    cell: (kernel) => formatMs(kernel.floorMilliseconds),
  },
  {
    title: 'GFLOP/s',
    hint: 'two operations for each multiply-add, one for each other',
    value: (kernel) => kernel.gigaflops,
    cell: (kernel) => kernel.gigaflops.toFixed(1),
  },
  {
    title: 'of peak',
    hint: 'of what a bare loop of multiply-adds reaches',
    value: (kernel) => kernel.shareOfPeak,
    cell: (kernel) => formatPercent(kernel.shareOfPeak),
  },
  {
    title: 'bytes',
    hint: 'inputs and outputs, once',
    value: (kernel) => kernel.bytes,
    cell: (kernel) => formatBytes(kernel.bytes),
  },
  {
    title: 'GB/s',
    hint: 'bytes in the time',
    value: (kernel) => kernel.gigabytesPerSecond,
    cell: (kernel) => kernel.gigabytesPerSecond.toFixed(1),
  },
  {
    title: 'multiply-adds',
    hint: 'as the operation is defined',
    value: (kernel) => kernel.multiplyAdds,
    cell: (kernel) => formatCount(kernel.multiplyAdds),
  },
  {
    title: 'layers',
    hint: 'that the kernel computes',
    isText: true,
    cell: (kernel) => escapeText(kernel.layers.join(' + ')),
  },
  {
    title: 'kernel',
    hint: 'what it does',
    isText: true,
    cell: (kernel) =>
      `<i class="${kindOf(kernel).id}"></i>${escapeText(`${kernel.operation} → ${kernel.shape.join('×')}`)}<br><small>${escapeText(kernel.description)}</small>`,
  },
];

export function profilePage(profile: ModelProfile): string {
  const { rules, parts } = pictureParts(profile);
  const most = Math.max(...profile.kernels.map(({ share }) => share)) || 1;
  const title = `Profile of ${profile.model}`;
  const facts = describeProfile(profile).map(([name, fact]) => `<dt>${name}</dt><dd>${escapeText(fact)}</dd>`);
  const heads = COLUMNS.map(
    ({ title: name, hint, isText }) => `<th scope="col" title="${hint}"${isText ? ' class="text"' : ''}>${name}</th>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${rules}${PAGE_RULES}</style>
<main>
<h1>${escapeText(title)}</h1>
<div class="cards">${cards(profile).join('')}</div>
<dl>${facts.join('\n')}</dl>
${parts.join('\n')}
<div class="scroll"><table>
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${profile.kernels.map((kernel, index) => row(kernel, index, most)).join('\n')}
</tbody>
</table></div>
</main>
<script>${PAGE_SCRIPT}</script>
</html>
`;
}

function cards(profile: ModelProfile): string[] {
  const { fastestRunMilliseconds, gigaflops, shareOfPeak, kernels, multiplyAdds, memory } = profile;
  const facts: readonly (readonly [string, string])[] = [
    [`${formatMs(fastestRunMilliseconds)} ms`, 'fastest run'],
    [`${gigaflops.toFixed(1)}`, 'GFLOP/s'],
    [formatPercent(shareOfPeak), 'of the peak'],
    [`${formatCount(Math.round(multiplyAdds / 1e6))} M`, 'multiply-adds'],
    [formatBytes(memory.weightBytes), 'weights'],
    [formatBytes(memory.activationBytes), 'activations'],
    [String(kernels.length), 'kernels'],
  ];
  return facts.map(([value, name]) => `<div class="card"><b>${value}</b><span>${name}</span></div>`);
}

/** @param most the largest share of all */
function row(kernel: KernelProfile, index: number, most: number): string {
  const cells = COLUMNS.map(({ title, isText, value, cell }) => {
    const classes = isText ? `text ${title}` : title === 'share' ? `share ${kindOf(kernel).id}` : '';
    const part = title === 'share' ? ` style="--part:${((kernel.share / most) * 100).toFixed(0)}%"` : '';
    const order = value === undefined ? '' : ` data-value="${value(kernel, index)}"`;
    return `<td${classes && ` class="${classes}"`}${part}${order}>${cell(kernel, index)}</td>`;
  });
  return `<tr data-kernel="${index}">${cells.join('')}</tr>`;
}
