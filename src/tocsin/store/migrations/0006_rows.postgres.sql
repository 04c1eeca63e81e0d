-- What queries ask of the cells of a row; none of these ever fails, whatever the row's text is.

-- JSON as it was received, but for NUL, which no text of PostgreSQL's holds: U+FFFD stands for it. NULL if unreadable.
CREATE FUNCTION readable_json(written TEXT) RETURNS JSON LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED AS $$
BEGIN
    IF position('\u' IN written) = 0 THEN
        RETURN CAST(written AS json);
    END IF;
    written := regexp_replace(written, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g');
    BEGIN
        -- Reads every text in it: half of a surrogate pair is none.
        PERFORM CAST(written AS json) -> '';
    EXCEPTION WHEN data_exception THEN
        RETURN NULL;
    END;
    RETURN CAST(written AS json);
END $$;

-- The values in the columns that a name means: kind (text, number, boolean) and text. See "Cells" in
-- docs/query-language.md; `*` is every column, a list stands for its items, one level deep.
CREATE FUNCTION row_cells(data TEXT, name TEXT) RETURNS TABLE (kind TEXT, value TEXT)
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED ROWS 3 AS $$
DECLARE
    whole CONSTANT JSON := readable_json(data);
    found JSON[];
    path JSON[] := ARRAY[whole];
    step TEXT;
BEGIN
    IF name = '*' THEN
        -- Of two members of one name the later one counts.
        found := ARRAY(SELECT DISTINCT ON (e.key) e.value FROM json_each(whole) WITH ORDINALITY AS e (key, value, n)
                       ORDER BY e.key, e.n DESC);
    ELSE
        found := ARRAY[whole -> name];
    END IF;
    IF position('.' IN name) > 0 THEN
        FOREACH step IN ARRAY string_to_array(name, '.') LOOP
            path := ARRAY(SELECT i.item -> step FROM unnest(path) AS p (part), json_array_elements(
                CASE json_typeof(p.part) WHEN 'array' THEN p.part ELSE json_build_array(p.part) END) AS i (item));
        END LOOP;
        found := found || path;
    END IF;
    RETURN QUERY SELECT replace(json_typeof(i.item), 'string', 'text'),
        CASE i.item #>> '{}' WHEN '-0' THEN CASE json_typeof(i.item) WHEN 'number' THEN '0' ELSE '-0' END
        ELSE i.item #>> '{}' END
        FROM unnest(found) AS p (part), json_array_elements(
            CASE json_typeof(p.part) WHEN 'array' THEN p.part ELSE json_build_array(p.part) END) AS i (item)
        WHERE json_typeof(i.item) IN ('string', 'number', 'boolean') AND (i.item #>> '{}') <> '';
END $$;

-- A cell's value as a double; NULL if it is none.
CREATE FUNCTION cell_number(kind TEXT, value TEXT) RETURNS DOUBLE PRECISION
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED AS $$
BEGIN
    IF kind = 'text' AND value ~ '^[+-]?[0-9]{1,100}(\.[0-9]{1,100})?([eE][+-]?[0-9]{1,2})?$' THEN
        RETURN CAST(value AS double precision);
    ELSIF kind <> 'number' THEN
        RETURN NULL;
    ELSIF length(value) < 200 AND value !~ '[eE]' THEN
        RETURN CAST(value AS double precision);
    END IF;
    BEGIN
        RETURN CAST(value AS double precision);
    EXCEPTION WHEN numeric_value_out_of_range THEN
        RETURN CASE WHEN value ~ '[eE]-|^-?0\.' THEN 0 END;
    END;
END $$;

-- First and last key of an address or network (query/addresses.py); nothing for any other text.
CREATE FUNCTION cell_span(written TEXT) RETURNS TABLE (low TEXT, high TEXT)
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED ROWS 1 AS $$
DECLARE
    octet CONSTANT TEXT := '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
    four CONSTANT TEXT := octet || '(\.' || octet || '){3,3}$';
    host CONSTANT TEXT := split_part(written, '/', 1);
    bits CONSTANT TEXT := split_part(written, '/', 2);
    is_four CONSTANT BOOLEAN := host ~ ('^' || four);
    plain TEXT;
    address INET;
BEGIN
    IF written !~ '^[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?$' THEN
        RETURN;
    END IF;
    IF NOT is_four THEN
        -- Eight groups, or fewer and one `::`; an IPv4 address at the end stands for two.
        plain := regexp_replace(host, '(^|:)' || four, '\10:0');
        IF plain !~ '^([0-9a-fA-F]{1,4}(:|$)){8,8}$' OR plain ~ ':$' THEN
            IF plain !~ '^([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?$'
               OR array_length(array_remove(string_to_array(plain, ':'), ''), 1) > 7 THEN
                RETURN;
            END IF;
        END IF;
    END IF;
    IF bits <> '' AND CAST(bits AS int) > (CASE WHEN is_four THEN 32 ELSE 128 END) THEN
        RETURN;
    END IF;
    address := CAST(host AS inet);
    IF bits <> '' THEN
        address := set_masklen(address, CAST(bits AS int));
    END IF;
    low := encode(substring(inet_send(network(address)) FROM 5), 'hex');
    high := encode(substring(inet_send(broadcast(address)) FROM 5), 'hex');
    IF is_four THEN
        low := '4' || low;
        high := '4' || high;
    ELSIF left(low, 24) = '00000000000000000000ffff' AND left(high, 24) = left(low, 24) THEN
        low := '4' || right(low, 8);
        high := '4' || right(high, 8);
    ELSE
        low := '6' || low;
        high := '6' || high;
    END IF;
    RETURN NEXT;
END $$;
