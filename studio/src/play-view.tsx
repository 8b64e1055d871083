/** A run of the studio, fetched and played. */
import { useEffect, useState } from 'preact/hooks'
import type { PlayDocument } from '../../src/report/play.ts'
import { ErrorBox } from './error-box.tsx'
import { addressOf, Player, type Position, positionOf } from './player/player.tsx'
import { formatRoute, replaceRoute } from './route.ts'
import type { Backend } from './verdicts/backend.ts'

export function PlayView({ backend, values }: { backend: Backend; values: Readonly<Record<string, string>> }) {
  const { scenario = '', kernel = '', with: plus = '', without = '' } = values
  const [made, setMade] = useState<PlayDocument | undefined>()
  const [error, setError] = useState<string | undefined>()
  useEffect(() => {
    setMade(undefined)
    setError(undefined)
    let gone = false
    backend.play({ scenario, kernel, with: plus, without }).then(
      (document) => !gone && setMade(document),
      (thrown) => !gone && setError(String(thrown instanceof Error ? thrown.message : thrown)),
    )
    return () => {
      gone = true
    }
  }, [backend, scenario, kernel, plus, without])
  if (scenario === '' || kernel === '')
    return (
      <p class="empty">
        No run is chosen. Take one of the <a href={formatRoute('verdicts', {})}>verdicts</a>.
      </p>
    )
  if (error !== undefined)
    return (
      <ErrorBox text={error}>
        <a href={formatRoute('verdicts', {})}>Back to the verdicts</a>
      </ErrorBox>
    )
  if (!made)
    return (
      <p class="empty" role="status">
        Searching {scenario} on {kernel} …
      </p>
    )
  return <Played key={`${scenario} ${kernel} ${plus} ${without}`} made={made} values={values} />
}

function Played({ made, values }: { made: PlayDocument; values: Readonly<Record<string, string>> }) {
  const [run] = made.runs
  const [position, setPosition] = useState<Position>(() => positionOf(values, run))
  useEffect(() => setPosition(positionOf(values, run)), [values])
  const { scenario, kernel, with: plus, without } = values
  return (
    <Player
      run={run}
      sources={made.sources}
      position={position}
      onPosition={(next) => {
        setPosition(next)
        replaceRoute('play', { scenario, kernel, with: plus, without, ...addressOf(next, run) })
      }}
    />
  )
}
