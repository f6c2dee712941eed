/** Folders of cases of a test's own. */
import { projectRoot, TemporaryFolder } from "./host.ts";

/** A module that defines a case. */
export function caseFile(id: string, rest: string): string {
  return `
    import { defineCase } from "${new URL("src/suite/case.ts", projectRoot)}";
    import { asm } from "${new URL("src/x86/asm/assembly.ts", projectRoot)}";
    export default defineCase({ id: "${id}", spec: "SDM 2A: HLT", mode: "real", ${rest} });
  `;
}

/** What cases of each kind consist of. */
export const files = {
  pass: "guest: asm`hlt`, trace: 'hlt'",
  fail: "guest: asm`mov al, 0x41\n out 0x10, al\n hlt`, trace: 'hlt'",
  skip:
    "guest: asm`hlt`, trace: 'hlt', requires: [{ capability: 'KVM_CAP_MAX_VCPUS', atLeast: 1e6 }]",
  spin: "guest: asm`jmp $`, trace: 'hlt'",
} as const;

/** A folder of cases of these kinds, in the area `own`. */
export class Guests extends TemporaryFolder {
  /** @param kinds one case of each, named as its kind */
  constructor(...kinds: (keyof typeof files)[]) {
    super();
    for (const kind of kinds) {
      this.write(`guests/own/${kind}.ts`, caseFile(`own/${kind}`, files[kind]));
    }
  }
  /** The option that names it. */
  get flag(): string {
    return `--guests=${this.path}/guests`;
  }
}
