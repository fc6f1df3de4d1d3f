// Builds fw.js: node build.mjs OUT. Writes fw.js, its source map, fw.d.ts, and page_files.c with all three in it, as they are served.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!existsSync(join(here, 'node_modules/esbuild'))) {
	console.error('build.mjs: esbuild is missing: scripts/setup installs it');
	process.exit(1);
}
const { buildSync } = await import('esbuild');

// The types are checked as a whole; only what a page may call is given out.
function declarations() {
	const folder = mkdtempSync(join(tmpdir(), 'fw-page-'));
	try {
		execFileSync(join(here, 'node_modules/.bin/tsc'), ['-p', here, '--declaration', '--emitDeclarationOnly', '--outDir', folder], { stdio: 'inherit' });
		return readFileSync(join(folder, 'api.d.ts'));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

// A C array, as bytes.
const bytes = (data) => (data.length ? [...data].map((b, i) => b + (i % 30 === 29 ? ',\n' : ',')).join('') : '0');

function asC(files) {
	const lines = ['/* Made by plugins/web/page/build.mjs. */', '#include "page_files.h"', ''];
	const rows = files.map(({ path, type, text }, i) => {
		const packed = gzipSync(text, { level: 9 });
		lines.push(`static const unsigned char plain_${i}[] = {\n${bytes(text)}\n};`, `static const unsigned char packed_${i}[] = {\n${bytes(packed)}\n};`);
		const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
		return `\t{ "${path}", "${type}", "\\"${hash}\\"", "\\"${hash}-gzip\\"", plain_${i}, sizeof plain_${i}, packed_${i}, sizeof packed_${i} },`;
	});
	return [...lines, 'const struct web_page_file web_page_files[] = {', ...rows, '\t{ 0 },', '};', ''].join('\n');
}

const { outputFiles } = buildSync({
	entryPoints: [join(here, 'fw.ts')], bundle: true, minify: true, format: 'iife', target: 'es2020', sourcemap: 'linked', outfile: join(out, 'fw.js'),
	legalComments: 'none', write: false, sourceRoot: '/', tsconfig: join(here, 'tsconfig.json'), charset: 'utf8',
});
const of = (name) => Buffer.from(outputFiles.find(({ path }) => path.endsWith(name)).contents);
// The sources are told by their names alone, wherever they were built.
const map = JSON.parse(of('.map').toString());
map.sources = map.sources.map((path) => path.split('/').pop());
delete map.sourceRoot;
const files = [
	{ path: '/fw.js', type: 'text/javascript; charset=utf-8', text: of('fw.js') },
	{ path: '/fw.js.map', type: 'application/json', text: Buffer.from(JSON.stringify(map)) },
	{ path: '/fw.d.ts', type: 'text/plain; charset=utf-8', text: declarations() },
];
for (const { path, text } of files) writeFileSync(join(out, path.slice(1)), text);
writeFileSync(join(out, 'page_files.c'), asC(files));
