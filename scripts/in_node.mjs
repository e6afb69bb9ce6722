// SPDX-License-Identifier: MIT
//
// Runs a program for WebAssembly with WASI, as it would run here: node scripts/in_node.mjs PROGRAM [ARGUMENT]...
// It sees the environment, and all files by their absolute names.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
    console.error('scripts/in_node.mjs: a program is needed');
    process.exit(2);
}
const wasi = new WASI({
    version: 'preview1',
    args: [program, ...args],
    env: process.env,
    preopens: { '/': '/' },
    returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);
