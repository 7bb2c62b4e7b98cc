/** What this process costs its machine, to be measured like anything else. */
export const processValues = (): Record<string, number> => {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    uptimeSeconds: process.uptime(),
  };
};
