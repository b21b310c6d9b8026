// The objects of a text that has one in JSON on each line. The last line may be cut off, where its writer was ended.
export function records(text) {
  return (text ?? '').split('\n').flatMap((line) => {
    try {
      const record = JSON.parse(line);
      return record !== null && typeof record === 'object' ? [record] : [];
    } catch {
      return [];
    }
  });
}
