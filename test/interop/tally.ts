/** Counts of what judges found, kept until the end of the run, when `table.ts` prints them. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

export const TALLIES = '.cache/interop/tallies.jsonl';

/** What is counted: of each, how many there are, and how many are as they should be. */
export const COLUMNS = ['models', 'loaded', 'equal', 'trained on', 'we train on'] as const;
export type Column = (typeof COLUMNS)[number];

interface Count {
  readonly good: number;
  readonly all: number;
}

export interface TallyRecord {
  readonly judge: string;
  readonly format: string;
  readonly columns: Readonly<Partial<Record<Column, Count>>>;
  /** Why models were not asked for, or how they were, and how many there are of them. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The counts of one judge and one format. */
export class Tally {
  readonly #judge: string;
  readonly #format: string;
  readonly #columns: Partial<Record<Column, Count>> = {};
  readonly #reasons: Record<string, number> = {};

  constructor(judge: string, format: string) {
    this.#judge = judge;
    this.#format = format;
  }

  count(column: Column, isGood: boolean): void {
    const { good, all } = this.#columns[column] ?? { good: 0, all: 0 };
    this.#columns[column] = { good: good + (isGood ? 1 : 0), all: all + 1 };
  }

  /** What is to be known of a model: why it was not asked for, or how. */
  note(reason: string): void {
    this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
  }

  /** Keeps the counts for the table. */
  write(): void {
    mkdirSync(dirname(TALLIES), { recursive: true });
    const record: TallyRecord = {
      judge: this.#judge,
      format: this.#format,
      columns: this.#columns,
      reasons: this.#reasons,
    };
    appendFileSync(TALLIES, `${JSON.stringify(record)}\n`);
  }
}

/** One tally for each judge and format, made when it is first asked for. */
export class Tallies {
  readonly #all = new Map<string, Tally>();

  of(judge: string, format: string): Tally {
    const key = `${judge}\n${format}`;
    const tally = this.#all.get(key) ?? new Tally(judge, format);
    this.#all.set(key, tally);
    return tally;
  }

  write(): void {
    for (const tally of this.#all.values()) tally.write();
  }
}
