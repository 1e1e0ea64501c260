-- Recomputes every headline of a comparison from the incident tables alone, without the program that wrote them.
--
-- Run it with DuckDB (tested with 2.0) from the run directory, the folder above `tables`:
--     .read tables/headlines.sql
-- Result: `headline` (arm, year, metric, value) and `paired` (arm, base, year, metric, diff), both for fires and rescues,
-- dispatch to first arrival; year 0 is the whole window, times are seconds. `disagreement` lists every figure that is
-- not the same, to the last bit, in the tables of the comparison: it must be empty.
--
-- A response of r ms lies in the one-second bin ceil(r / 1000); more than an hour is bin 3601, never is bin 4095. The
-- p-quantile is interpolated within the first bin whose cumulated count reaches p n.

SET VARIABLE files = (SELECT list(file ORDER BY file) FROM 'tables/replications.parquet');

CREATE OR REPLACE TEMP TABLE incident AS
SELECT r.arm, r.replication, i.identity, y.year,
       CASE WHEN i.first_arrival_ms < 0 THEN 4095
            ELSE least((i.first_arrival_ms + 999) // 1000, 3601) END AS bin
FROM read_parquet(getvariable('files'), filename = true) AS i
JOIN 'tables/replications.parquet' AS r ON r.file = i.filename
CROSS JOIN LATERAL (SELECT unnest([0, i.year::INTEGER]) AS year) AS y
WHERE i.is_headline;

-- One row per group and metric, from (grp, bin, c): c incidents of group grp lie in a bin.
CREATE OR REPLACE TEMP MACRO interpolated(bin, p, n, reached, c) AS
    CASE WHEN bin > 3600 THEN 'infinity'::DOUBLE
         ELSE greatest((bin::DOUBLE - 1e0) + (p * n - (reached - c)) / c, 0e0) END;

CREATE OR REPLACE TEMP MACRO metrics_of(counted) AS TABLE
WITH told AS (
    SELECT grp, bin, c::DOUBLE AS c,
           (sum(c) OVER (PARTITION BY grp ORDER BY bin))::DOUBLE AS reached,
           (sum(c) OVER (PARTITION BY grp))::DOUBLE AS n
    FROM query_table(counted)
)
SELECT grp, metric, arg_min(interpolated(bin, p, n, reached, c), bin) AS value
FROM told CROSS JOIN (VALUES ('p50', 5e-1), ('p90', 9e-1)) AS q(metric, p)
WHERE reached >= p * n
GROUP BY grp, metric
UNION ALL
SELECT grp, 'share_300', (coalesce(sum(c) FILTER (bin <= 300), 0) / any_value(n)) FROM told GROUP BY grp;

-- Headlines: the incidents of all replications of an arm together.
CREATE OR REPLACE TEMP TABLE pooled_bins AS
SELECT {'arm': arm, 'year': year} AS grp, bin, count(*) AS c FROM incident GROUP BY arm, year, bin;

CREATE OR REPLACE TEMP TABLE headline AS
SELECT grp.arm AS arm, grp.year AS year, metric, value FROM metrics_of('pooled_bins') ORDER BY arm, year, metric;

-- pairs {
-- Paired differences: within each replication, over the incidents that both arms have; then their mean.
CREATE OR REPLACE TEMP TABLE paired_bins AS
WITH pair AS (SELECT DISTINCT arm, base FROM 'tables/contrasts.parquet'),
matched AS (
    SELECT p.arm, p.base, a.replication, a.year, a.bin AS arm_bin, b.bin AS base_bin
    FROM pair AS p
    JOIN incident AS a ON a.arm = p.arm
    JOIN incident AS b ON b.arm = p.base AND b.replication = a.replication AND b.identity = a.identity AND b.year = a.year
)
SELECT {'arm': arm, 'base': base, 'replication': replication, 'year': year, 'is_base': is_base} AS grp, bin,
       count(*) AS c
FROM (SELECT *, false AS is_base, arm_bin AS bin FROM matched UNION ALL SELECT *, true, base_bin FROM matched)
GROUP BY arm, base, replication, year, is_base, bin;

CREATE OR REPLACE TEMP TABLE paired AS
WITH side AS (
    SELECT grp.arm AS arm, grp.base AS base, grp.replication AS replication, grp.year AS year, grp.is_base AS is_base,
           metric, value
    FROM metrics_of('paired_bins')
),
diff AS (
    SELECT a.arm, a.base, a.replication, a.year, a.metric, a.value - b.value AS diff
    FROM side AS a
    JOIN side AS b USING (arm, base, replication, year, metric)
    WHERE NOT a.is_base AND b.is_base
)
SELECT arm, base, year, metric,
       list_reduce(list(diff ORDER BY replication), lambda x, y: x + y) / count(*) AS diff
FROM diff GROUP BY arm, base, year, metric ORDER BY arm, base, year, metric;

-- pairs }
CREATE OR REPLACE TEMP TABLE disagreement AS
SELECT 'headline' AS what, h.arm, '' AS base, h.year, h.metric, h.value AS here, t.value AS told
FROM headline AS h
LEFT JOIN 'tables/headline.parquet' AS t
  ON t.arm = h.arm AND t.year = h.year AND t.metric = h.metric AND t."group" = 'headline' AND t.clock = 'arrival'
WHERE t.value IS DISTINCT FROM h.value
-- pairs {
UNION ALL
SELECT 'paired', p.arm, p.base, p.year, p.metric, p.diff, t.diff
FROM paired AS p
LEFT JOIN 'tables/contrasts.parquet' AS t
  ON t.arm = p.arm AND t.base = p.base AND t.year = p.year AND t.metric = p.metric AND t."group" = 'headline'
     AND t.clock = 'arrival' AND t.scope = 'city'
WHERE t.diff IS DISTINCT FROM p.diff
-- pairs }
;

FROM headline;
-- pairs {
FROM paired;
-- pairs }
FROM disagreement;
