// Writes the base of one revision: the checks that fail on the server as it is shipped, each under the fixture that it
// asks for. A failure that no missing fixture explains is not written but reported. What the suite reports without
// scoring it (extensions that the server does not declare, scenarios newer than the revision) has no place in a base.
//
//     node bases.mjs REVISION RESULTS
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What each scenario asks the server to have, besides what the protocol asks for. */
const FIXTURES = {
    'completion-complete': 'prompt test_prompt_with_arguments',
    'elicitation-sep1034-defaults': 'tool test_elicitation_sep1034_defaults',
    'elicitation-sep1330-enums': 'tool test_elicitation_sep1330_enums',
    'input-required-result-basic-elicitation': 'tool test_input_required_result_elicitation',
    'input-required-result-basic-list-roots': 'tool test_input_required_result_list_roots',
    'input-required-result-basic-sampling': 'tool test_input_required_result_sampling',
    'input-required-result-capability-check': 'tool test_input_required_result_capabilities',
    'input-required-result-ignore-extra-params': 'tool test_input_required_result_elicitation',
    'input-required-result-missing-input-response': 'tool test_input_required_result_elicitation',
    'input-required-result-multi-round': 'tool test_input_required_result_multi_round',
    'input-required-result-multiple-input-requests': 'tool test_input_required_result_multiple_inputs',
    'input-required-result-non-tool-request': 'prompt test_input_required_result_prompt',
    'input-required-result-request-state': 'tool test_input_required_result_request_state',
    'input-required-result-result-type': 'tool test_input_required_result_elicitation',
    'input-required-result-tampered-state': 'tool test_input_required_result_tampered_state',
    'logging-set-level': 'the deprecated logging capability',
    'prompts-get-embedded-resource': 'prompt test_prompt_with_embedded_resource',
    'prompts-get-simple': 'prompt test_simple_prompt',
    'prompts-get-with-args': 'prompt test_prompt_with_arguments',
    'prompts-get-with-image': 'prompt test_prompt_with_image',
    'resources-read-binary': 'resource test://static-binary',
    'resources-read-text': 'resource test://static-text',
    'resources-subscribe': 'resource test://watched-resource, and watching it',
    'resources-templates-read': 'resource template test://template/{id}/data',
    'resources-unsubscribe': 'resource test://watched-resource, and watching it',
    'server-stateless': 'tools test_missing_capability, test_streaming_elicitation, test_logging_tool, test_trigger_tool_change',
    'tools-call-audio': 'tool test_audio_content',
    'tools-call-elicitation': 'tool test_elicitation',
    'tools-call-embedded-resource': 'tool test_embedded_resource',
    'tools-call-error': 'tool test_error_handling',
    'tools-call-image': 'tool test_image_content',
    'tools-call-mixed-content': 'tool test_multiple_content_types',
    'tools-call-sampling': 'tool test_sampling',
    'tools-call-simple-text': 'tool test_simple_text',
    'tools-call-with-logging': 'tool test_tool_with_logging',
    'tools-call-with-progress': 'tool test_tool_with_progress',
};

const [revision, results] = process.argv.slice(2);
const list = execFileSync(process.execPath, ['node_modules/conformance/dist/index.js', 'list', '--requirements', revision], { encoding: 'utf8' });
const [, scenarios] = /^Server scenarios.*\n((?:  - .*\n)+)/m.exec(list);
const scored = new Set([...scenarios.matchAll(/^  - (\S+)/gm)].map(([, name]) => name));

const failing = new Map();
for (const directory of readdirSync(results).sort()) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(directory)?.[1];
    if (!scored.has(scenario)) continue;
    const checks = JSON.parse(readFileSync(join(results, directory, 'checks.json'), 'utf8'));
    // With a base a warning counts as a failure.
    const failed = checks.filter((check) => ['FAILURE', 'WARNING'].includes(check.status));
    if (failed.length > 0) failing.set(scenario, failed);
}

let unexplained = false;
console.log(`# The checks of ${revision} that ask for fixtures, which the server as it is shipped does not have.`);
console.log('# Written by `tests/conformance/run --write-bases`.');
console.log('server:');
for (const [scenario, failed] of failing) {
    const fixture = FIXTURES[scenario];
    if (!fixture) {
        unexplained = true;
        for (const check of failed) console.error(`${scenario}:${check.id}: ${check.errorMessage}`);
        continue;
    }
    console.log(`  # ${fixture}`);
    for (const id of [...new Set(failed.map((check) => check.id))].sort()) console.log(`  - ${scenario}:${id}`);
}
if (unexplained) {
    console.error('no missing fixture explains these');
    process.exit(1);
}
