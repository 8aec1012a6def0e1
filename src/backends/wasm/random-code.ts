/** Random bits: Philox 4×32 with ten rounds, as in `array/philox.ts`, four blocks at a time. */
import { sizeOf } from '../../array/shape.ts';
import type { Buffer, NodeKernel } from '../../compiler/schedule.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { type EmittedKernel, emitRangeFunction, type KernelContext } from './kernel-context.ts';
import { countBy } from './loop-code.ts';

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Four blocks of four words. */
const GROUP_WORDS = 16;

/** One word of four blocks for each of the four places in a block. */
type Words = readonly [Local, Local, Local, Local];

/** The range is over groups of four blocks. */
export function emitRandomBits(context: KernelContext, kernel: NodeKernel): EmittedKernel {
  const [key, counter] = kernel.inputs as readonly [Buffer, Buffer];
  const output = context.addressOf(kernel.outputs[0] as Buffer);
  const count = sizeOf((kernel.node.outputs[0] as SymbolicTensor).shape);
  const groups = Math.ceil(count / GROUP_WORDS);
  const rest = count % GROUP_WORDS;
  return emitRangeFunction(context, groups, (f, first, last) => {
    if (count === 0) return;
    const [group, to] = f.localsOf('i32', 2) as [Local, Local];
    const words = f.localsOf('v128', 4) as unknown as Words;
    f.get(first).set(group);
    countBy(f, group, last, 1, () => {
      f.scaled(group, 4).op('i32x4.splat').i32x4([0, 1, 2, 3]).op('i32x4.add').set(words[0]);
      f.i32x4(0).set(words[1]);
      for (const half of [0, 1] as const) {
        f.load('v128.load32_splat', 0, context.addressOf(counter) + 4 * half).set(words[2 + half] as Local);
      }
      emitRounds(f, words, context.addressOf(key));
      emitTransposition(f, words);
      f.scaled(group, GROUP_WORDS * 4).set(to);
      if (rest === 0) {
        storeWords(f, words, to, output, GROUP_WORDS);
      } else {
        f.get(group)
          .i32(groups - 1)
          .op('i32.eq');
        f.if(
          () => storeWords(f, words, to, output, rest),
          () => storeWords(f, words, to, output, GROUP_WORDS),
        );
      }
    });
    f.release(group, to, ...words);
  });
}

function emitRounds(f: FunctionBuilder, words: Words, keyAddress: number): void {
  const [x0, x1, x2, x3] = words;
  const [k0, k1, low0, high0, low1, high1] = f.localsOf('v128', 6) as [Local, Local, Local, Local, Local, Local];
  const round = f.local('i32');
  f.load('v128.load32_splat', 0, keyAddress).set(k0);
  f.load('v128.load32_splat', 0, keyAddress + 4).set(k1);
  f.for(round, 0, ROUNDS, 1, () => {
    emitProducts(f, x0, MULTIPLIER_0, low0, high0);
    emitProducts(f, x2, MULTIPLIER_1, low1, high1);
    f.get(high1).get(x1).op('v128.xor').get(k0).op('v128.xor').set(x0);
    f.get(low1).set(x1);
    f.get(high0).get(x3).op('v128.xor').get(k1).op('v128.xor').set(x2);
    f.get(low0).set(x3);
    f.get(k0).i32x4(KEY_STEP_0).op('i32x4.add').set(k0);
    f.get(k1).i32x4(KEY_STEP_1).op('i32x4.add').set(k1);
  });
  f.release(k0, k1, low0, high0, low1, high1, round);
}

/** The halves of the 64-bit products of four words by a number. */
function emitProducts(f: FunctionBuilder, x: Local, multiplier: number, low: Local, high: Local): void {
  // Products of the first two words in `low`, of the others in `high`, until both are known.
  f.get(x).i32x4(multiplier).op('i64x2.extmul_low_i32x4_u').set(low);
  f.get(x).i32x4(multiplier).op('i64x2.extmul_high_i32x4_u').set(high);
  f.get(low).get(high).shuffle32(0, 2, 4, 6);
  f.get(low).get(high).shuffle32(1, 3, 5, 7);
  f.set(high).set(low);
}

/** From one word of four blocks to four words of one block. */
function emitTransposition(f: FunctionBuilder, words: Words): void {
  const [a, b, c, d] = words;
  f.get(a).get(b).shuffle32(0, 4, 1, 5);
  f.get(c).get(d).shuffle32(0, 4, 1, 5);
  f.get(a).get(b).shuffle32(2, 6, 3, 7);
  f.get(c).get(d).shuffle32(2, 6, 3, 7);
  f.set(d).set(c).set(b).set(a);
  f.get(a).get(b).shuffle32(0, 1, 4, 5);
  f.get(a).get(b).shuffle32(2, 3, 6, 7);
  f.get(c).get(d).shuffle32(0, 1, 4, 5);
  f.get(c).get(d).shuffle32(2, 3, 6, 7);
  f.set(d).set(c).set(b).set(a);
}

/** Stores the first words of four blocks at `to + output`. */
function storeWords(f: FunctionBuilder, words: Words, to: Local, output: number, count: number): void {
  for (const [block, word] of words.entries()) {
    const own = Math.min(4, count - 4 * block);
    if (own >= 4) {
      f.storeAt('v128.store', to, output + 16 * block, () => f.get(word));
      continue;
    }
    for (let lane = 0; lane < own; lane++) {
      f.get(to)
        .get(word)
        .laneMemory('v128.store32_lane', lane, output + 16 * block + 4 * lane);
    }
  }
}
