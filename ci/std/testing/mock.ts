// @ts-types="./mock.d.ts"
export * from "npm:deno-std@1.2.0/testing/mock.js";
