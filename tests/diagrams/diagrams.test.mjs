// Every Mermaid diagram of the documentation renders.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { JSDOM } from 'jsdom';

const ROOT = new URL('../../docs/', import.meta.url);

// A page for Mermaid to draw on. jsdom lays nothing out, so every text is said to have a size of its own.
const { window } = new JSDOM('<!DOCTYPE html><body></body>', { pretendToBeVisual: true });
const box = { x: 0, y: 0, width: 100, height: 20, top: 0, left: 0, right: 100, bottom: 20 };
window.SVGElement.prototype.getBBox = () => box;
window.SVGElement.prototype.getComputedTextLength = () => box.width;
window.CSSStyleSheet.prototype.replaceSync ??= () => {};
Object.assign(globalThis, { window, document: window.document, CSSStyleSheet: window.CSSStyleSheet });
const { default: mermaid } = await import('mermaid');
mermaid.initialize({ startOnLoad: false, htmlLabels: false, flowchart: { htmlLabels: false } });

const pages = readdirSync(ROOT, { recursive: true }).filter((name) => name.endsWith('.md')).sort();
const diagrams = pages.flatMap((page) =>
    [...readFileSync(new URL(page, ROOT), 'utf8').matchAll(/^```mermaid\n([^]*?)^```$/gm)].map((found, number) => ({
        name: `${page}, diagram ${number + 1}`,
        text: found[1],
    })),
);

test('the documentation has diagrams', () => assert.ok(diagrams.length >= 2));

for (const [number, { name, text }] of diagrams.entries()) {
    test(`${name} renders`, async () => {
        const { svg } = await mermaid.render(`diagram${number}`, text);
        assert.match(svg, /^<svg /);
        assert.ok(!svg.includes('Syntax error'), svg.slice(0, 400));
        // Everything that is named in quotes or as a participant is in the picture.
        for (const [, label] of text.matchAll(/\["([^"]*)"\]/g)) assert.ok(svg.includes(label.split(/[ :,]/)[0]), label);
    });
}
