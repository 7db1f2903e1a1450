// `steelyard/schema`: the JSON Schemas of the documents, and reports as text and JSON.
export { renderJson } from './report-json.ts';
export { DOCUMENTS, type DocumentName, jsonSchema } from './schemas.ts';
export { renderText, type TextOptions } from './text.ts';
