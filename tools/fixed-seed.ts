/** For CI: random tests take the same cases each time, so that a change is judged by itself. Everywhere else seeds vary and are printed. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['UNSEAT_FC_SEED'] ?? 20261120) });
