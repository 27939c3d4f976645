-- The last defence for lines of programs that are not ours; our own redact before they write.
local patterns = {
    { "[Bb]earer%s+[%w%._~%+/=%-]+", "Bearer [redacted]" },
    { "eyJ[%w_%-]+%.[%w_%-]+%.[%w_%-]*", "[redacted]" },
    { "wnis_%x+_[%w_%-]+", "[redacted]" },
    { "(%a[%w%+%.%-]*://[^%s/:@]*):[^%s/]+@", "%1:[redacted]@" },
    { "([Pp]assword[\"']?%s*[=:]%s*)[\"']?[^%s&,;\"'}]+[\"']?", "%1[redacted]" },
    { "([Tt]oken[\"']?%s*[=:]%s*)[\"']?[^%s&,;\"'}]+[\"']?", "%1[redacted]" },
    { "([Ss]ecret[\"']?%s*[=:]%s*)[\"']?[^%s&,;\"'}]+[\"']?", "%1[redacted]" },
}

function redact(tag, timestamp, record)
    local changed = false
    for _, key in ipairs({ "message", "log", "error.message", "error.stack_trace" }) do
        local text = record[key]
        if type(text) == "string" then
            for _, pair in ipairs(patterns) do
                text = text:gsub(pair[1], pair[2])
            end
            if text ~= record[key] then
                record[key] = text
                changed = true
            end
        end
    end
    -- 2: the record was changed, its time was not
    return changed and 2 or 0, timestamp, record
end
