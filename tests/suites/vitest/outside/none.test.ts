export const tests = "none";
