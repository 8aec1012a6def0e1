/** What a page does that is watched. Its server reads this too. */

/** While the model is loaded; while the program is made, and runs for the first time; while it runs again. */
export const PHASES = ['load', 'first', 'steady'] as const;

/** The longest that something urgent, such as a click, would have had to wait in each phase, in milliseconds. */
export type Blocks = Readonly<Record<(typeof PHASES)[number], number>>;
