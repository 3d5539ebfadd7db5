import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** Parses the metrics with Prometheus's own Python library. */
const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([[s.name, s.labels, s.value] for f in text_string_to_metric_families(sys.stdin.read()) for s in f.samples]))
`;

/** Reads a page over a connection of its own: the parser blocks this process for so long that the daemon ends an idle one. */
async function textOf(url: string): Promise<string> {
  const request = get(url, { agent: false });
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no response');
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${body}`);
  return body;
}

type Labels = Readonly<Record<string, string>>;

/** Scrape is the metrics of a daemon at one time. */
export class Scrape {
  readonly #samples: readonly (readonly [name: string, Labels, value: number])[];

  private constructor(samples: readonly (readonly [name: string, Labels, value: number])[]) {
    this.#samples = samples;
  }

  /** Reads the metrics of a daemon, with a parser that is not part of this project. */
  static async of(url: string): Promise<Scrape> {
    const input = await textOf(`${url}/metrics`);
    return new Scrape(
      JSON.parse(execFileSync('/usr/bin/python3', ['-c', PARSE], { input, encoding: 'utf8' })),
    );
  }

  /** Returns the names of all samples. */
  names(): Set<string> {
    return new Set(this.#samples.map(([name]) => name));
  }

  /** Returns the values of all labels. */
  labelValues(): Set<string> {
    return new Set(this.#samples.flatMap(([, labels]) => Object.values(labels)));
  }

  /** Returns the sum of the samples with a name and labels. */
  sum(name: string, labels: Labels = {}): number {
    return this.#samples
      .filter(
        ([sample, has]) =>
          sample === name && Object.entries(labels).every(([key, value]) => has[key] === value),
      )
      .reduce((sum, [, , value]) => sum + value, 0);
  }
}
