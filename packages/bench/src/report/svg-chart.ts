// Charts are text that these functions write: a bar chart and a line chart need less code than a library needs options.

/** Bar is one ratio. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The text at its end. */
  readonly text: string;
  /** The colour is that of the series. */
  readonly series: string;
}

/** Line is one line of a chart with logarithmic axes. */
export interface Line {
  readonly series: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Axes are the titles of a line chart, and the texts of its ticks. */
export interface Axes {
  readonly title: string;
  readonly x: string;
  readonly formatY: (value: number) => string;
}

const WIDTH = 860;
const LABEL_WIDTH = 380;
const TEXT_WIDTH = 90;
const ROW_HEIGHT = 20;
const FONT = 'font-family="sans-serif" font-size="12"';
/** Colours that also differ for people who do not see red and green differently (Okabe and Ito). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#999999'];

/** colourOf returns the colour of a series, by its place among all series. */
function colourOf(series: string, all: readonly string[]): string {
  return COLOURS[all.indexOf(series) % COLOURS.length] ?? '#000000';
}

/** ratioChart draws ratios as bars that begin at 1, on a logarithmic axis: bars to the left are better than the peer. */
export function ratioChart(title: string, bars: readonly Bar[]): string {
  const series = [...new Set(bars.map((bar) => bar.series))];
  const values = bars.map(({ value }) => value);
  const low = floorOf(Math.min(...values, 0.5));
  const high = ceilingOf(Math.max(...values, 2));
  const left = LABEL_WIDTH;
  const right = WIDTH - TEXT_WIDTH;
  const x = (value: number): number => left + ((right - left) * Math.log(value / low)) / Math.log(high / low);
  const top = 60;
  const bottom = top + bars.length * ROW_HEIGHT;
  const grid = ticks(low, high).map((tick) => {
    const width = tick === 1 ? 2 : 1;
    return [
      line(x(tick), top, x(tick), bottom, tick === 1 ? '#333333' : '#dddddd', width),
      text(x(tick), bottom + 16, `${tick} ×`, 'middle'),
    ].join('\n');
  });
  const rows = bars.map(({ label, value, text: end, series: name }, index) => {
    // A row has a bar for each of its peers.
    const shown = bars[index - 1]?.label === label ? '' : label;
    const y = top + index * ROW_HEIGHT;
    const from = Math.min(x(value), x(1));
    const width = Math.max(Math.abs(x(value) - x(1)), 1);
    const colour = colourOf(name, series);
    return [
      text(left - 8, y + 14, shown, 'end'),
      `<rect x="${at(from)}" y="${y + 3}" width="${at(width)}" height="${ROW_HEIGHT - 6}" fill="${colour}"/>`,
      text(Math.max(x(value), x(1)) + 5, y + 14, end, 'start'),
    ].join('\n');
  });
  return svg(title, bottom + 30, [legend(series, left, 44), ...grid, ...rows]);
}

/** growthChart draws costs by size, on logarithmic axes: the slope of a line is the exponent of its growth. */
export function growthChart({ title, x: xTitle, formatY }: Axes, lines: readonly Line[]): string {
  const series = lines.map((one) => one.series);
  const points = lines.flatMap((one) => one.points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [lowX, highX] = [floorOf(Math.min(...xs)), ceilingOf(Math.max(...xs))];
  const [lowY, highY] = [floorOf(Math.min(...ys)), ceilingOf(Math.max(...ys))];
  const [left, right, top, bottom] = [90, WIDTH - 30, 60, 360];
  const x = (value: number): number =>
    left + ((right - left) * Math.log(value / lowX)) / Math.log(highX / lowX);
  const y = (value: number): number =>
    bottom - ((bottom - top) * Math.log(value / lowY)) / Math.log(highY / lowY);
  const grid = [
    ...ticks(lowX, highX).map((tick) => [
      line(x(tick), top, x(tick), bottom, '#dddddd', 1),
      text(x(tick), bottom + 16, tick.toLocaleString('en'), 'middle'),
    ]),
    ...ticks(lowY, highY).map((tick) => [
      line(left, y(tick), right, y(tick), '#dddddd', 1),
      text(left - 8, y(tick) + 4, formatY(tick), 'end'),
    ]),
    [text((left + right) / 2, bottom + 36, xTitle, 'middle')],
  ].flat();
  const drawn = lines.map(({ series: name, points: own }) => {
    const colour = colourOf(name, series);
    const path = own.map(([px, py]) => `${at(x(px))},${at(y(py))}`).join(' ');
    const dots = own.map(
      ([px, py]) => `<circle cx="${at(x(px))}" cy="${at(y(py))}" r="3" fill="${colour}"/>`,
    );
    return [`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots].join(
      '\n',
    );
  });
  return svg(title, bottom + 50, [legend(series, left, 44), ...grid, ...drawn]);
}

function svg(title: string, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ${FONT}>
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="12" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>
${parts.join('\n')}
</svg>
`;
}

function legend(series: readonly string[], left: number, y: number): string {
  return series
    .map((name, index) => {
      const x = left + index * 110;
      return `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${colourOf(name, series)}"/>\n${text(x + 18, y, name, 'start')}`;
    })
    .join('\n');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, width: number): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${colour}" stroke-width="${width}"/>`;
}

/** Returns a coordinate without more digits than a picture shows. */
function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Returns the powers of ten from one to another, with 2 and 5 times each if they are few. */
function ticks(low: number, high: number): number[] {
  const factors = high / low > 1_000 ? [1] : [1, 2, 5];
  const from = Math.floor(Math.log10(low)) - 1;
  const count = Math.ceil(Math.log10(high / low)) + 3;
  return Array.from({ length: count }, (_, index) => factors.map((factor) => factor * 10 ** (from + index)))
    .flat()
    .map((tick) => Number(tick.toPrecision(1)))
    .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** Returns the next tick that is not above a value. */
function floorOf(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([5, 2, 1].find((factor) => factor * power <= value) ?? 1) * power;
}

/** Returns the next tick that is not below a value. */
function ceilingOf(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}
