/** Prints the speed of the elementary functions on one thread: `node bench/kernels/math.ts`. */
import { ModuleBuilder } from '../../src/backends/wasm/assembler-module.ts';
import { callMath, type MathName } from '../../src/backends/wasm/math.ts';

const COUNT = 16384;
const NAMES: readonly MathName[] = ['exp', 'expm1', 'log', 'log1p', 'tanh', 'sigmoid', 'erf', 'sin', 'atan', 'power'];

/** Nanoseconds an element, at best. */
function measure(name: MathName): number {
  const module = new ModuleBuilder();
  module.importMemory('host', 'memory', { minimum: 2 });
  module.exportFunction(
    'run',
    module.function([], [], (f) => {
      const at = f.local('i32');
      f.for(at, 0, COUNT * 4, 16, () => {
        f.storeAt('v128.store', at, COUNT * 4, () => {
          f.load('v128.load', at);
          if (name === 'power') f.load('v128.load', at);
          callMath(module, f, name);
        });
      });
    }),
  );
  const memory = new WebAssembly.Memory({ initial: 2 });
  new Float32Array(memory.buffer).fill(0.7);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
  const times = Array.from({ length: 1000 }, () => {
    const start = performance.now();
    (exports.run as () => void)();
    return performance.now() - start;
  });
  return (Math.min(...times) * 1e6) / COUNT;
}

for (const name of NAMES) console.log(`${name.padEnd(10)} ${measure(name).toFixed(2)} ns an element`);
